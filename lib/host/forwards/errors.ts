import { GaruaError } from '../../base';

/** A connection to a published port was passed on to this host, and its container cannot take it. */
export class ForwardUnavailableError extends GaruaError {
  constructor(container: string, port: number, why: string, options?: ErrorOptions) {
    super(
      'ERR_FORWARD_UNAVAILABLE',
      `port ${port} of the container ${container} cannot be reached: ${why}`,
      'garua ps on both hosts shows where the container runs.',
      options,
    );
  }
}
