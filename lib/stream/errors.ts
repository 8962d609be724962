import { GaruaError } from '../base';

/** A window specification that cannot be used. */
export class StreamSpecError extends GaruaError {
  constructor(message: string, hint = 'Correct the specification and try again.', options?: ErrorOptions) {
    super('ERR_STREAM_SPEC', message, hint, options);
  }
}

/** An input that is neither an event, nor a watermark, nor a clock reading. */
export class StreamInputError extends GaruaError {
  constructor(
    message: string,
    hint = 'Give one JSON object a line: {"time": ms, "key": "k", "value": ...}, {"watermark": ms} or {"processingTime": ms}.',
    options?: ErrorOptions,
  ) {
    super('ERR_STREAM_INPUT', message, hint, options);
  }
}

/** Saved state that does not fit the engine it should go into. */
export class StreamStateError extends GaruaError {
  constructor(message: string, hint = 'Start afresh, or restore it with the settings it was saved with.') {
    super('ERR_STREAM_STATE', message, hint);
  }
}

/** A JSONata expression failed on the items of a pane. */
export class StreamExpressionError extends GaruaError {
  constructor(expression: string, cause: unknown) {
    super(
      'ERR_STREAM_EXPRESSION',
      `the expression ${expression} failed: ${(cause as { message?: string })?.message ?? String(cause)}`,
      'Try the expression on a list of values as collect gives it.',
      { cause },
    );
  }
}
