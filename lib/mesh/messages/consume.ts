import { setTimeout as delay } from 'node:timers/promises';
import type { Message, Messages, SubscribeOptions } from './messages';

/** Up to where a subscriber has taken its messages. Kept from call to call, it tells what comes again. */
export interface Position {
  queue: string;
  sequence: number;
}

/**
 * Gives a subscriber's messages to `take`, one after another, and acknowledges each once `take` has resolved. What
 * comes again because an acknowledgement was lost is not taken again, over several calls if they share a position.
 * Ends when the signal fires; rejects with what `take` or the host throws, and the message then comes again the next
 * time.
 */
export async function consume(
  host: Pick<Messages, 'subscribe' | 'acknowledge'>,
  topic: string,
  options: SubscribeOptions,
  take: (message: Message) => unknown,
  position: Position = { queue: '', sequence: 0 },
): Promise<void> {
  const acknowledger = new Acknowledger((sequences) => host.acknowledge(options.subscriber, sequences));
  try {
    for await (const message of host.subscribe(topic, options)) {
      if (message.queue !== position.queue || message.sequence > position.sequence) {
        await take(message);
        position.queue = message.queue;
        position.sequence = message.sequence;
      }
      acknowledger.add(message.sequence);
    }
  } finally {
    await acknowledger.end();
  }
}

/** Between two attempts to acknowledge, in ms. */
const PAUSE = 500;

/** Acknowledges in the background, all that came up meanwhile in one call. */
class Acknowledger {
  readonly #acknowledge: (sequences: number[]) => Promise<void>;
  #waiting: number[] = [];
  #running: Promise<void> | undefined;
  #ending = false;

  constructor(acknowledge: (sequences: number[]) => Promise<void>) {
    this.#acknowledge = acknowledge;
  }

  add(sequence: number): void {
    this.#waiting.push(sequence);
    this.#running ??= this.#run();
  }

  /** Tries once more where it must, and ends. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const sequences = this.#waiting.splice(0);
      try {
        await this.#acknowledge(sequences);
      } catch {
        // They come again the next time, and are known as repeats.
        if (this.#ending) break;
        this.#waiting.unshift(...sequences);
        await delay(PAUSE, undefined, { ref: false });
      }
    }
    this.#running = undefined;
  }
}
