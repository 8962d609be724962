import { GaruaError } from '../../../base';

/** A host that held the subscriber later is known. */
export class RoamingOutdatedError extends GaruaError {
  constructor(subscriber: string, epoch: number, known: number) {
    super(
      'ERR_ROAMING_OUTDATED',
      `${subscriber} cannot be held here under epoch ${epoch}: ${known} is known`,
      `Let it go on where it is, or hold it here under an epoch above ${known}.`,
    );
  }
}

/** The host neither holds the subscriber nor keeps what it has handed off. */
export class RoamingNotHereError extends GaruaError {
  constructor(subscriber: string, host: string) {
    super(
      'ERR_ROAMING_NOT_HERE',
      `${host} has nothing of ${subscriber} to hand over`,
      'Ask the hosts which of them holds it.',
    );
  }
}
