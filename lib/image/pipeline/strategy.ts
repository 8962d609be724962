import { availableParallelism } from 'node:os';

/** How layers are pulled. The defaults are the fast ones; the benchmark turns each technique off. */
export interface PullStrategy {
  /** `parallel`: all blobs are downloaded at once, then unpacked one by one, as Docker does. */
  layers: 'sequential' | 'parallel';
  /** `false`: download the whole blob, then inflate it to a file, then unpack that. */
  pipelined: boolean;
  /** `one`: inflate, unpack and hash in a single thread. */
  threads: 'many' | 'one';
}

export const DEFAULT_STRATEGY: PullStrategy = { layers: 'sequential', pipelined: true, threads: 'many' };

/**
 * With two cores a thread of its own for the diffID's SHA-256 only costs memory; from three on it takes
 * the hash off the busiest thread, which counts where the processor has no SHA instructions (Pi 1 to 4).
 */
export function hashesOnOwnThread(cores = availableParallelism()): boolean {
  return cores > 2;
}
