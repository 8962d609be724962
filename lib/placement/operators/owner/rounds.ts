import { setTimeout as delay } from 'node:timers/promises';
import { OperatorMoveError } from './errors';

/** Between two rounds where something is not as it should be, in ms: it doubles. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;

interface Wish {
  apply(): void;
  done(): void;
  fail(error: unknown): void;
}

export interface RoundsOptions {
  /** @param isAsked whether somebody waits for it. @returns whether all is as it should be; else it comes again soon */
  round(isAsked: boolean): Promise<boolean>;
  /** Until the next round where all is as it should be, in ms. */
  every(): number;
}

/** Does one round of work after another, until it is closed. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #closing = new AbortController();
  #wishes: Wish[] = [];
  #wake = Promise.withResolvers<void>();
  #pause = FIRST_PAUSE;
  readonly #running: Promise<void>;

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Changes something between two rounds. Resolves when a round has been done after that. */
  wish(apply: () => void): Promise<void> {
    return new Promise((done, fail) => {
      this.#wishes.push({ apply, done, fail });
      this.hurry();
    });
  }

  hurry(): void {
    this.#pause = FIRST_PAUSE;
    this.#wake.resolve();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    // Whoever made this is ready first.
    await Promise.resolve();
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers<void>();
      const wishes = this.#wishes;
      this.#wishes = [];
      let isDone = false;
      try {
        for (const { apply } of wishes) apply();
        isDone = await this.#options.round(wishes.length > 0);
        for (const { done } of wishes) done();
      } catch (error) {
        for (const { fail } of wishes) fail(error);
      }
      if (isDone) this.#pause = FIRST_PAUSE;
      if (!signal.aborted) await this.#sleep(isDone ? this.#options.every() : this.#grow());
    }
    for (const { fail } of this.#wishes) fail(new OperatorMoveError('the host ends', 'Ask again.'));
  }

  #grow(): number {
    const pause = this.#pause;
    this.#pause = Math.min(2 * pause, LONGEST_PAUSE);
    return pause;
  }

  async #sleep(milliseconds: number): Promise<void> {
    const stop = new AbortController();
    await Promise.race([
      delay(milliseconds, undefined, { signal: stop.signal, ref: false }).catch(() => {}),
      this.#wake.promise,
    ]);
    stop.abort();
  }
}
