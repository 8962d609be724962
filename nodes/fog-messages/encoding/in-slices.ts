import { setImmediate as turn } from 'node:timers/promises';

/** How long work may keep the event loop at once, in ms. */
const SLICE = 8;

/** Runs work that yields often; whenever it has taken a slice of time, others have their turn. */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  let start = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (performance.now() - start < SLICE) continue;
    await turn();
    start = performance.now();
  }
}
