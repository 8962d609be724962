import { setTimeout as delay } from 'node:timers/promises';
import type { Message, Messages } from '../../../mesh';

export interface LineIntakeParts {
  messages: Pick<Messages, 'subscribe' | 'acknowledge'>;
  /** Hands a message on when there is room; false when the signal fired before. */
  take(message: Message, done: () => void, signal: AbortSignal): Promise<boolean>;
}

/** Until what went wrong is tried again, in ms. */
const PAUSE = 500;

/** Brings the messages of one roaming subscriber, whose name is also its topic, and acknowledges what is done. */
export class LineIntake {
  readonly #subscriber: string;
  readonly #parts: LineIntakeParts;
  #stopping = new AbortController();
  #running: Promise<void>;
  #taken = { queue: '', sequence: 0 };
  readonly #inHand = new Set<number>();
  #done: number[] = [];
  #acknowledging: Promise<void> | undefined;

  constructor(subscriber: string, parts: LineIntakeParts) {
    this.#subscriber = subscriber;
    this.#parts = parts;
    this.#running = this.#run();
  }

  /** Goes on after a stop; what is still in hand does not come again. */
  resume(): void {
    if (!this.#stopping.signal.aborted) return;
    this.#stopping = new AbortController();
    this.#running = this.#run();
  }

  /** Takes no more; resolves when that is so. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Resolves when the host knows of all that is done. */
  async acknowledged(): Promise<void> {
    while (this.#done.length > 0 || this.#acknowledging) await this.#acknowledge();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const options = { subscriber: this.#subscriber, retained: false, signal };
    while (!signal.aborted) {
      try {
        for await (const message of this.#parts.messages.subscribe(this.#subscriber, options)) {
          if (!(await this.#take(message))) return;
        }
      } catch {
        // The host holds the queue: what is wrong with it is said to whoever publishes.
      }
      await delay(PAUSE, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #take(message: Message): Promise<boolean> {
    const { queue, sequence } = message;
    if (queue === this.#taken.queue && sequence <= this.#taken.sequence) {
      // Its acknowledgement was lost, unless it is in hand.
      if (!this.#inHand.has(sequence)) this.#settle(sequence);
      return true;
    }
    this.#inHand.add(sequence);
    const done = () => {
      this.#inHand.delete(sequence);
      this.#settle(sequence);
    };
    if (!(await this.#parts.take(message, done, this.#stopping.signal))) return false;
    this.#taken = { queue, sequence };
    return true;
  }

  #settle(sequence: number): void {
    this.#done.push(sequence);
    void this.#acknowledge();
  }

  #acknowledge(): Promise<void> {
    this.#acknowledging ??= this.#send().finally(() => {
      this.#acknowledging = undefined;
      if (this.#done.length > 0) void this.#acknowledge();
    });
    return this.#acknowledging;
  }

  async #send(): Promise<void> {
    // What is done in the same turn goes along.
    await Promise.resolve();
    const sequences = this.#done.splice(0);
    try {
      await this.#parts.messages.acknowledge(this.#subscriber, sequences);
    } catch {
      this.#done.unshift(...sequences);
      await delay(PAUSE, undefined, { ref: false });
    }
  }
}
