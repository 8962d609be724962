/** Says when something has been so for long enough, without a break. */
export class Hold<T> {
  readonly #forMs: number;
  #value: T | undefined;
  #since = 0;

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  /** Whether it has been this value all the time; undefined: it is not so now. */
  lasts(value: T | undefined, now: number): boolean {
    if (value !== this.#value) {
      this.#value = value;
      this.#since = now;
    }
    return value !== undefined && now - this.#since >= this.#forMs;
  }

  /** It has to last anew. */
  reset(): void {
    this.#value = undefined;
  }
}
