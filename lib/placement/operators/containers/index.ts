export type { HostContainers } from './containers';
export * from './errors';
export { InstanceContainers } from './instance-containers';
export { containerIn } from './state';
