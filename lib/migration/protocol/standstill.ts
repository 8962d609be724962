import { setTimeout as delay } from 'node:timers/promises';
import { StandstillTooLongError } from './errors';

/** How long what was ended may take to end, in milliseconds. */
const WINDING_UP_MS = 10_000;

/**
 * Does what is to be done while a container stands still. After `limitMs` it is given up: a line that hangs, or is far
 * slower than it was, must not hold a container for ever.
 *
 * @param work gets a signal that ends it; it has ended when this rejects, unless it does not listen at all
 * @throws {StandstillTooLongError}
 */
export async function within<T>(
  limitMs: number,
  name: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const expiry = new AbortController();
  const working = work(expiry.signal);
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StandstillTooLongError(name, limitMs)), limitMs);
  });
  try {
    return await Promise.race([working, expired]);
  } catch (error) {
    if (error instanceof StandstillTooLongError) {
      expiry.abort(error);
      // Whoever lets the container go on must not have somebody else stop it.
      await Promise.race([working.catch(() => {}), delay(WINDING_UP_MS, undefined, { ref: false })]);
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
