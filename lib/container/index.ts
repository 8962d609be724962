export type * from './container';
export * from './engine';
export * from './errors';
export { type PeerRights, Policy, type PolicyDocument } from './policy';
export type { VolumeStatus } from './volumes';
