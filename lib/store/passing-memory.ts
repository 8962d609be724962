import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that pass between two collections. */
const EVERY = 4 << 20;

type Collect = (options: { type: 'minor' }) => void;

let collect: Collect | undefined;
let passed = 0;

/**
 * Tells how many bytes have passed through this thread. V8 lets 64 MB of buffers that nobody uses any more
 * gather before it looks for them, since on its own heap they are small; a collection of what is young takes
 * under a millisecond and frees them.
 */
export function bytesPassed(count: number): void {
  passed += count;
  if (passed < EVERY) return;
  passed = 0;
  collect ??= loadCollect();
  collect({ type: 'minor' });
}

function loadCollect(): Collect {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return gc;
}
