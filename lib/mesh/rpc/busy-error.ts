import { GaruaError } from '../../base';

/** One of two hosts has more calls or answers under way to the other than it takes in. */
export class BusyError extends GaruaError {
  constructor() {
    super(
      'ERR_MESH_BUSY',
      'one of the two hosts has more calls or answers under way than the other takes in',
      'Wait for some of them, then try again.',
    );
  }
}
