import { GaruaError } from '../../lib/base';

/** A host, or what it looked at, did not answer. */
export class FogHostTimeoutError extends GaruaError {
  constructor() {
    super(
      'ERR_FOG_HOST_TIMEOUT',
      'the host does not answer in time',
      'Look whether a network mount of that machine is dead, and at the log of its daemon.',
    );
  }
}

/** Waits for work that may not heed the signal itself, as on a dead network mount. @throws {FogHostTimeoutError} */
export async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>();
  const give = () => late.reject(new FogHostTimeoutError());
  if (signal.aborted) give();
  signal.addEventListener('abort', give, { once: true });
  // What loses the race may fail later; that is nobody's concern any more.
  work.catch(() => {});
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}
