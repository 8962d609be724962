export { ServicePortTakenError, ServiceUnavailableError } from './errors';
export type { InstanceState, ServiceInstance, ServiceStatus } from './service';
export { HostServices, type HostServicesOptions } from './services';
