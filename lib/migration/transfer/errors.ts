import { GaruaError } from '../../base';

/** Memory or files could not be carried over. */
export class TransferFailedError extends GaruaError {
  constructor(why: string, options?: ErrorOptions) {
    super(
      'ERR_MIGRATION_TRANSFER_FAILED',
      `the transfer to the other host failed: ${why}`,
      'The container goes on where it was; try again.',
      options,
    );
  }
}
