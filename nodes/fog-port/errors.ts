import { GaruaError } from '../../lib/base';

/** The state of an operator's nodes is larger than may go to another host at once. */
export class StateTooLargeError extends GaruaError {
  constructor(bytes: number, limit: number) {
    super(
      'ERR_OPERATOR_STATE_TOO_LARGE',
      `the state of the operator takes ${bytes} bytes, compressed, of at most ${limit}`,
      'Let its nodes keep less (shorter windows, fewer keys), or run it as several instances by key.',
    );
  }
}

/** What should be the state of an operator's nodes is none. */
export class StateUnreadableError extends GaruaError {
  constructor(options?: ErrorOptions) {
    super(
      'ERR_OPERATOR_STATE_UNREADABLE',
      "the state of the operator's nodes cannot be read",
      'Use the same version of garua on all hosts.',
      options,
    );
  }
}
