import { GaruaError } from '../../../base';

/** A host has not as much left as was asked for. */
export class LeaseRefusedError extends GaruaError {
  constructor(message: string) {
    const hint = 'Ask for less, place the operator elsewhere, or try again when a lease has ended.';
    super('ERR_LEASE_REFUSED', message, hint);
  }
}

/** A lease has ended, or never was. */
export class LeaseExpiredError extends GaruaError {
  constructor(id: string) {
    super('ERR_LEASE_EXPIRED', `lease ${id} has ended`, 'Ask for a new one before anything starts there.');
  }
}
