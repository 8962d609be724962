import type { Progress } from '../../base';

const INTERVAL_MS = 100;

/** Adds the layers of one image up to one progress, at most ten times a second. */
export class PullProgress {
  #total = 0;
  #done = 0;
  #phase = 'resolving';
  #last = Number.NEGATIVE_INFINITY;

  constructor(private readonly onProgress: ((progress: Progress) => void) | undefined) {
    this.#report(true);
  }

  /** The image is known: so many compressed bytes. */
  start(total: number): void {
    this.#total = total;
    this.phase('pulling');
  }

  phase(phase: string): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#report(true);
  }

  /** Bytes that are here now; negative when a layer has to start over. */
  add(bytes: number): void {
    this.#done += bytes;
    this.#report(false);
  }

  #report(always: boolean): void {
    if (!this.onProgress) return;
    const now = performance.now();
    if (!always && now - this.#last < INTERVAL_MS) return;
    this.#last = now;
    this.onProgress({ phase: this.#phase, done: this.#done, total: this.#total, unit: 'bytes' });
  }
}
