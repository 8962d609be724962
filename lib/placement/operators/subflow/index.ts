export type { FindCredentials } from './environment';
export * from './errors';
export * from './expand';
export type { EnvironmentEntry, FlowNode } from './flow-file';
