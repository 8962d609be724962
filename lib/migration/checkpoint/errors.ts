import { GaruaError } from '../../base';

/** This host cannot checkpoint at all. */
export class CheckpointUnsupportedError extends GaruaError {
  constructor(reason: string, options?: ErrorOptions) {
    super(
      'ERR_CHECKPOINT_UNSUPPORTED',
      `this host cannot checkpoint containers: ${reason}`,
      'garua doctor says what is missing, and garua doctor --fix gets it.',
      options,
    );
  }
}

/** This container holds what cannot be checkpointed; it runs on. */
export class CheckpointRefusedError extends GaruaError {
  constructor(name: string, reasons: string[]) {
    super(
      'ERR_CHECKPOINT_REFUSED',
      `container ${name} cannot be checkpointed: ${reasons.join('; ')}`,
      'Stop it and start it elsewhere, or change what keeps it here.',
    );
  }
}

/** A checkpoint cannot go on on this host. */
export class CheckpointIncompatibleError extends GaruaError {
  constructor(name: string, reasons: string[]) {
    super(
      'ERR_CHECKPOINT_INCOMPATIBLE',
      `the checkpoint of container ${name} cannot go on here: ${reasons.join('; ')}`,
      'Restore it on a host like the one that it comes from, or deploy the container anew.',
    );
  }
}
