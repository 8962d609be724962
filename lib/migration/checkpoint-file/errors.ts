import { GaruaError } from '../../base';

/** The file is no checkpoint, or not all of it is there as it was written. */
export class CheckpointFileDamagedError extends GaruaError {
  constructor(reason: string, options?: ErrorOptions) {
    super(
      'ERR_CHECKPOINT_FILE_DAMAGED',
      `the checkpoint file cannot be used: ${reason}`,
      'Copy it again from where it was made, or make another (garua checkpoint NAME -o FILE).',
      options,
    );
  }
}

/** The image that the container was made from is not to be had any more as it was. */
export class CheckpointImageChangedError extends GaruaError {
  constructor(ref: string, wanted: string, found: string) {
    super(
      'ERR_CHECKPOINT_IMAGE_CHANGED',
      `the image ${ref} is ${found} by now, and the checkpoint needs ${wanted}`,
      'Load that version of the image on this host first; its files are what the container runs on.',
    );
  }
}
