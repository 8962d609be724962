import { GaruaError } from '../../base';

/** Another call is moving the container, or a crash left a move that its hosts have to settle. */
export class ContainerMovingError extends GaruaError {
  constructor(name: string, role: 'leaving' | 'arriving') {
    super(
      'ERR_CONTAINER_MOVING',
      `container ${name} is ${role}: a checkpoint or a migration of it is under way`,
      'Wait until that is over; garua ps shows when.',
    );
  }
}

/** What arrives has the name of a container that is here already. */
export class ContainerExistsError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_CONTAINER_EXISTS',
      `there is a container named ${name} on this host already`,
      'Give another name (garua restore FILE --name NAME), or remove the one that is here.',
    );
  }
}

/** The processes of the container could not be written; it runs on. */
export class CheckpointFailedError extends GaruaError {
  constructor(name: string, reason: string, options?: ErrorOptions) {
    super(
      'ERR_CHECKPOINT_FAILED',
      `container ${name} could not be checkpointed: ${reason}; it runs on`,
      'garua doctor tries CRIU out; some programs hold what cannot be checkpointed, such as devices.',
      options,
    );
  }
}

/** The processes could not be brought back. */
export class RestoreFailedError extends GaruaError {
  constructor(name: string, reason: string, options?: ErrorOptions) {
    super(
      'ERR_RESTORE_FAILED',
      `container ${name} could not be restored: ${reason}`,
      'garua doctor tries CRIU out; what was checkpointed is as it was, and can be restored elsewhere.',
      options,
    );
  }
}

/** A checkpoint or a restore did not end in its time and was ended. */
export class CheckpointTimeoutError extends GaruaError {
  constructor(what: string, timeoutMs: number, options?: ErrorOptions) {
    super(
      'ERR_CHECKPOINT_TIMEOUT',
      `${what} did not end within ${timeoutMs} ms and was ended`,
      'Some versions of CRIU hang on some machines: garua doctor tries it out.',
      options,
    );
  }
}
