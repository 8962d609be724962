import { AbortedError } from './errors';

/** One step of a long call. `total` is 0 while it is not known. */
export interface Progress {
  /** What is going on, one lower-case word such as `pulling`. */
  phase: string;
  done: number;
  total: number;
  unit: 'bytes' | 'items' | 'layers' | 'pages' | 'steps';
}

/** The options that every call that may take long accepts. */
export interface LongCall {
  /** Ends the call early; it then rejects with ERR_ABORTED and leaves nothing half-done. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** @throws {AbortedError} if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new AbortedError(what, { cause: signal.reason });
}
