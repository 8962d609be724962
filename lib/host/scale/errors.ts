import { GaruaError } from '../../base';

/** Instances are found by the name of their service, and this container has none. */
export class ScaleWithoutServiceError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_SCALE_NO_SERVICE',
      `the container ${name} offers no service, so nobody would find its instances`,
      'Deploy it with a service name and a TCP port (garua run --service NAME ...), then scale it.',
    );
  }
}

/** There are fewer hosts than instances are wanted. */
export class ScaleImpossibleError extends GaruaError {
  /** @param why in words, all that stands in the way */
  constructor(name: string, wanted: number, running: number, why: string[], options?: ErrorOptions) {
    super(
      'ERR_SCALE_NO_ROOM',
      `${running} of ${wanted} instances of ${name} have a host: ${why.join('; ')}`,
      'Ask for fewer, allow more sites, or make room there; garua sites shows the hosts. The same call then goes on.',
      options,
    );
  }
}

/** It is being scaled already. */
export class ScaleRunningError extends GaruaError {
  constructor(name: string) {
    super('ERR_SCALE_RUNNING', `${name} is being scaled already`, 'Wait until that is over, then try again.');
  }
}
