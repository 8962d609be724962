import { GaruaError } from '../../base';

/** The instance that was asked for is not there, not ready, or does not answer. */
export class ServiceUnavailableError extends GaruaError {
  constructor(service: string, container: string, why: string, options?: ErrorOptions) {
    super(
      'ERR_SERVICE_UNAVAILABLE',
      `the service ${service} cannot be reached in the container ${container}: ${why}`,
      'garua services shows where it is ready; garua logs NAME shows what the container says.',
      options,
    );
  }
}

/** The port that leads to a service on this host is in other hands. */
export class ServicePortTakenError extends GaruaError {
  constructor(service: string, port: number, options?: ErrorOptions) {
    super(
      'ERR_SERVICE_PORT_TAKEN',
      `port ${port} of 127.0.0.1, which leads to the service ${service}, is used by another program`,
      'End that program: the port comes back by itself. Or release the service and use it again, for another port.',
      options,
    );
  }
}
