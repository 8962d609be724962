import { toGaruaError } from '../../lib/base';

/** What `catch` nodes see: the code, and the hint both in the text and in `cause`. */
export function nodeError(error: unknown, what: string): Error {
  const { code, message, hint } = toGaruaError(error, what);
  const stop = /[.!?]$/.test(message) ? '' : '.';
  return Object.assign(new Error(`${message}${stop} ${hint}`), {
    code,
    hint,
    cause: { code, message, hint },
  });
}
