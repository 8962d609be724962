/**
 * An exponentially weighted mean of samples that come at uneven times: what is a half-life old counts half.
 */
export class Smoothed {
  #value: number | undefined;
  #at = 0;

  /** @param halfLifeMs in the unit of the times given to {@link update}. */
  constructor(private readonly halfLifeMs: number) {}

  /** Undefined before the first sample. */
  get value(): number | undefined {
    return this.#value;
  }

  /**
   * Takes a sample.
   * @param spanMs how long it stands for; by default since the last one. At least 1 ms: samples of the same
   * moment count too.
   */
  update(sample: number, now: number, spanMs = now - this.#at): void {
    const weight = 1 - 2 ** (-Math.max(spanMs, 1) / this.halfLifeMs);
    this.#value = this.#value === undefined ? sample : this.#value + weight * (sample - this.#value);
    this.#at = now;
  }
}
