export { Door } from './door';
export { ServicePortTakenError, ServiceUnavailableError } from './errors';
export { forward } from './forward';
export { join } from './pipe';
export type { InstanceState, ServiceInstance, ServiceStatus } from './service';
export { HostServices, type HostServicesOptions } from './services';
export { SocketPipe } from './socket-pipe';
