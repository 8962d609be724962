export * from './errors';
export { FlowOwner } from './flow-owner';
export type * from './fog-view';
