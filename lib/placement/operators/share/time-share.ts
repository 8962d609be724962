import { InvalidArgumentError } from '../../../base';

export interface TimeShareOptions<T> {
  /** Part of a core that the operator may use on average, such as 0.25. */
  share: number;
  /** Handler time in ms that it may use at once after a rest. Default 50. */
  burstMs?: number | undefined;
  /** Messages that may wait; one more is refused. Default 1,000. */
  limit?: number | undefined;
  /** Hands a message to the operator. */
  deliver: (message: T) => void;
  /** Called with true when upstream should pause, and with false when it may go on. */
  onPressure?: ((isHigh: boolean) => void) | undefined;
  /** Milliseconds of a clock that never goes back. */
  now?: (() => number) | undefined;
}

/** Of the waiting room: above the first upstream pauses, below the second it goes on. */
const HIGH_WATER = 0.75;
const LOW_WATER = 0.25;
/** Weight of the newest measurement in the expected cost of a message. */
const NEWEST = 0.1;
/** Expected cost of a message before one is measured, in ms. */
const FIRST_GUESS_MS = 0.1;

/**
 * A token bucket of handler time: an operator that used up its share of the core lets its messages wait, in
 * order, until the share has grown again. What a message costs is known only afterwards; until then the
 * expected cost is reserved, and a dear message leaves the bucket in debt.
 */
export class TimeShare<T> {
  readonly #options: TimeShareOptions<T>;
  readonly #burst: number;
  readonly #limit: number;
  readonly #now: () => number;
  #share = 0;
  #tokens: number;
  #filledAt: number;
  #expected = FIRST_GUESS_MS;
  /** What was reserved for messages whose cost is not yet known, and their number. */
  #reserved = 0;
  #outstanding = 0;
  #waiting: T[] = [];
  #isHigh = false;
  #isServing = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: TimeShareOptions<T>) {
    this.#options = options;
    this.#burst = options.burstMs ?? 50;
    this.#limit = options.limit ?? 1000;
    this.#now = options.now ?? (() => performance.now());
    this.#tokens = this.#burst;
    this.#filledAt = this.#now();
    this.share = options.share;
  }

  get share(): number {
    return this.#share;
  }

  /** @throws {InvalidArgumentError} for a share that is not above 0. */
  set share(share: number) {
    if (!(share > 0 && Number.isFinite(share))) {
      throw new InvalidArgumentError(`the share ${share} is not above 0`);
    }
    this.#fill();
    this.#share = share;
    // It was set for the old share.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#serve();
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Takes a message: delivers it now, or later when its turn and the operator's time have come.
   * @returns false when the waiting room is full or closed: the message stays with the caller.
   */
  offer(message: T): boolean {
    if (this.#isClosed || this.#waiting.length >= this.#limit) return false;
    this.#waiting.push(message);
    this.#serve();
    this.#signal();
    return true;
  }

  /** Tells what delivered messages cost, in ms of handler time. */
  charge(milliseconds: number, messages = 1): void {
    const known = Math.min(messages, this.#outstanding);
    const returned = known > 0 ? (this.#reserved * known) / this.#outstanding : 0;
    this.#reserved -= returned;
    this.#outstanding -= known;
    this.#fill();
    this.#tokens += returned - milliseconds;
    if (messages > 0) {
      const keep = (1 - NEWEST) ** messages;
      this.#expected = keep * this.#expected + (1 - keep) * (milliseconds / messages);
    }
    this.#serve();
    this.#signal();
  }

  /** Ends deliveries and gives back what still waits, oldest first. */
  close(): T[] {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const rest = this.#waiting;
    this.#waiting = [];
    return rest;
  }

  #serve(): void {
    // The operator may tell its cost, or close, while a message is handed to it.
    if (this.#isServing) return;
    this.#isServing = true;
    this.#fill();
    while (this.#waiting.length > 0 && this.#tokens > 0) {
      this.#tokens -= this.#expected;
      this.#reserved += this.#expected;
      this.#outstanding += 1;
      this.#options.deliver(this.#waiting.shift()!);
    }
    this.#isServing = false;
    if (this.#waiting.length > 0 && !this.#timer) this.#wait();
  }

  #wait(): void {
    const milliseconds = Math.max(1, Math.ceil(-this.#tokens / this.#share));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#serve();
      this.#signal();
    }, milliseconds);
    this.#timer.unref();
  }

  #fill(): void {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) * this.#share);
    this.#filledAt = now;
  }

  #signal(): void {
    const filled = this.#waiting.length / this.#limit;
    const isHigh = this.#isHigh ? filled > LOW_WATER : filled >= HIGH_WATER;
    if (isHigh === this.#isHigh) return;
    this.#isHigh = isHigh;
    this.#options.onPressure?.(isHigh);
  }
}
