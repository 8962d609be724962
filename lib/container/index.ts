export type * from './container';
export * from './engine';
export * from './errors';
export type { ContainerRecord } from './lifecycle';
export type * from './move/move';
export { removeNetwork } from './network/remove';
export { type PeerRights, Policy, type PolicyDocument } from './policy';
export type { VolumeStatus } from './volumes';
