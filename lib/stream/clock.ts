import type { Clock } from './stream';

/**
 * Wall-clock time that never goes back and never stands still: where the wall clock was set back, it goes
 * on at the pace of the monotonic clock until the wall clock has caught up.
 */
export class SteadyClock implements Clock {
  readonly #wall: () => number;
  readonly #monotonic: () => number;
  #reading: number;
  #takenAt: number;

  /** @param notBefore a reading that was given before a restart */
  constructor(
    notBefore = 0,
    wall: () => number = Date.now,
    monotonic: () => number = () => performance.now(),
  ) {
    this.#wall = wall;
    this.#monotonic = monotonic;
    this.#takenAt = monotonic();
    this.#reading = Math.max(notBefore, wall());
  }

  now(): number {
    const monotonic = this.#monotonic();
    this.#reading = Math.max(this.#wall(), this.#reading + monotonic - this.#takenAt);
    this.#takenAt = monotonic;
    return Math.floor(this.#reading);
  }
}
