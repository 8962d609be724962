export * from './errors';
export { type InstanceRow, InstanceTable } from './instance-table';
export { LocalRuntime } from './local-runtime';
export { runtimeOver, serveRuntime } from './over-mesh';
export type { PortCommands } from './port-commands';
export type * from './runtime';
export { Tabs } from './tabs';
