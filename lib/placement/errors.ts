import { GaruaError } from '../base';

/** A placement model that cannot be used; the message starts with the path of the field. */
export class PlacementModelError extends GaruaError {
  constructor(message: string, hint = 'Correct the model and try again.', options?: ErrorOptions) {
    super('ERR_PLACEMENT_MODEL', message, hint, options);
  }
}

/** It is proven that no placement meets all constraints; the message names the one that cannot be met. */
export class PlacementInfeasibleError extends GaruaError {
  constructor(message: string, hint = 'Relax that constraint, or add capacity.') {
    super('ERR_PLACEMENT_INFEASIBLE', message, hint);
  }
}

/** No placement was found, and none was proven impossible. */
export class PlacementNotFoundError extends GaruaError {
  constructor(
    message = 'no placement that meets all constraints was found, and it is not proven that there is none',
    hint = 'Give the search more time or another seed, try --exact, or relax a constraint.',
  ) {
    super('ERR_PLACEMENT_NOT_FOUND', message, hint);
  }
}

/** The thread that solves ended when it should not have. */
export class PlacementWorkerError extends GaruaError {
  constructor(reason: string, options?: ErrorOptions) {
    super(
      'ERR_PLACEMENT_WORKER_FAILED',
      `the solver's thread ended: ${reason}`,
      'The machine may be out of memory; try a smaller model, or without --exact.',
      options,
    );
  }
}
