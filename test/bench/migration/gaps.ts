import { setTimeout as sleep } from 'node:timers/promises';

/** How often a client asks, and the programs leave a heartbeat, in milliseconds. */
export const INTERVAL_MS = 5;
/** On a busy machine a process comes to its turn some milliseconds late; that is nobody's downtime. */
const NOISE_MS = 20;

export interface Gaps {
  /** Milliseconds: the sum of all that lasted longer than the noise, less the interval itself. */
  downtime: number;
  longest: number;
}

/** What is missing in a series of times (in microseconds) at which there was an answer. */
export function gapsOf(times: readonly number[]): Gaps {
  const sorted = [...times].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((time, index) => (time - sorted[index]!) / 1000 - INTERVAL_MS);
  const long = gaps.filter((gap) => gap > NOISE_MS);
  return { downtime: long.reduce((sum, gap) => sum + gap, 0), longest: Math.max(0, ...long) };
}

/** Waits until there are more answers than now by so many. @throws after a minute */
export async function untilMore(times: () => readonly number[], more: number): Promise<void> {
  const wanted = times().length + more;
  const end = performance.now() + 60_000;
  while (times().length < wanted) {
    if (performance.now() > end) throw new Error('there is no sign of life');
    await sleep(50);
  }
}
