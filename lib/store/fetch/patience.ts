import { AbortedError } from '../../base';

/** A signal that fires with the caller's, or after some time. `end` frees both. */
export function limited(
  signal: AbortSignal | undefined,
  milliseconds: number,
): { signal: AbortSignal; timedOut(): boolean; end(): void } {
  const controller = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    controller.abort(new Error(`no answer within ${milliseconds} ms`));
  }, milliseconds);
  const onAbort = () => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    timedOut: () => late,
    end: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** What the work answers, or a rejection when the signal fires first, whether the work heeds it or not. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, what: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(new AbortedError(what, { cause: signal.reason }));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** `unlessAborted` with a time limit of its own. */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal | undefined,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = limited(signal, milliseconds);
  try {
    return await unlessAborted(work(limit.signal), limit.signal, what);
  } finally {
    limit.end();
  }
}
