import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../../lib/host';
import type { Message, Position } from '../../lib/mesh';
import type { PortPartition } from '../../lib/placement';
import { Door, type Handed } from './direct';

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 10_000;
/** How long a host that is away is waited for at the end, in ms. */
const LAST_WORD = 2_000;

/** A message that an intake has brought, until it is handled. */
export interface Taken {
  intake: Intake;
  /** By way of the host, or handed over inside this process. */
  message: Message | Handed;
}

export const isHanded = (message: Message | Handed): message is Handed => 'content' in message;

export interface IntakeParts {
  host(): Promise<Host>;
  /** Takes a message over, when there is room for it; false when the intake was stopped meanwhile. */
  take(taken: { intake: Intake; message: Message }, signal: AbortSignal): Promise<boolean>;
  /** Takes a message over that was handed over inside this process, if there is room for it now. */
  takeHanded(taken: { intake: Intake; message: Handed }): boolean;
  onError(error: unknown): void;
}

/** Brings the messages of one roaming subscriber, and acknowledges those that have been handled. */
export class Intake {
  readonly partition: PortPartition;
  readonly door: Door;
  readonly #parts: IntakeParts;
  readonly #stopping = new AbortController();
  /** The last message that was handed on; kept beyond this intake. */
  readonly #position: Position;
  /** The last that was taken: those after the position wait for their turn. */
  #taken: Position;
  readonly #done: Promise<void>;
  readonly #inHand = new Set<number>();
  #handled: number[] = [];
  #ended = false;
  #acknowledging: Promise<void> | undefined;

  constructor(partition: PortPartition, position: Position, parts: IntakeParts) {
    this.partition = partition;
    this.#parts = parts;
    this.#position = position;
    this.#taken = { ...position };
    this.door = new Door(partition.topic, (message) => parts.takeHanded({ intake: this, message }));
    this.#done = this.#run();
  }

  get isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /**
   * Takes no more; resolves when that is so. What was taken and not handed on comes again; `rest`, what was handed over
   * inside this process, goes back to who sent it.
   */
  async stop(rest: Handed[] = []): Promise<void> {
    this.door.close(rest);
    this.#stopping.abort();
    await this.#done;
  }

  /** The flow gets this message now. */
  handOn({ queue, sequence }: Message): void {
    this.#inHand.add(sequence);
    this.#position.queue = queue;
    this.#position.sequence = sequence;
  }

  handled(sequence: number): void {
    this.#inHand.delete(sequence);
    this.#handled.push(sequence);
    this.#acknowledge();
  }

  /** Tells the host of what was handled, for the last time. */
  async end(): Promise<void> {
    await Promise.race([this.acknowledged(), delay(LAST_WORD, undefined, { ref: false })]);
    this.#ended = true;
  }

  /** Resolves when the host knows of all that was handled. */
  async acknowledged(): Promise<void> {
    while (!this.#ended && (this.#handled.length > 0 || this.#acknowledging)) await this.#acknowledge();
  }

  #acknowledge(): Promise<void> {
    this.#acknowledging ??= this.#send().finally(() => {
      this.#acknowledging = undefined;
      if (this.#handled.length > 0 && !this.#ended) this.#acknowledge();
    });
    return this.#acknowledging;
  }

  async #send(): Promise<void> {
    // What is handled in the same turn goes along.
    await Promise.resolve();
    const sequences = this.#handled.splice(0);
    try {
      await (await this.#parts.host()).acknowledge(this.partition.subscriber, sequences);
    } catch {
      // The host is away: it must hear of them before it may give them to others.
      this.#handled.unshift(...sequences);
      await delay(FIRST_PAUSE, undefined, { ref: false });
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { subscriber, topic } = this.partition;
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      try {
        const host = await this.#parts.host();
        for await (const message of host.subscribe(topic, { subscriber, retained: false, signal })) {
          pause = FIRST_PAUSE;
          if (!(await this.#take(message))) return;
        }
      } catch (error) {
        if (!signal.aborted) this.#parts.onError(error);
      }
      // Who held it may hold it no longer: only what comes by way of the host can tell.
      this.door.interrupt();
      await delay(pause, undefined, { signal, ref: false }).catch(() => {});
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  /** What comes again is waiting or in hand, or its acknowledgement was lost. */
  async #take(message: Message): Promise<boolean> {
    const { queue, sequence } = message;
    if (queue === this.#taken.queue && sequence <= this.#taken.sequence) {
      if (sequence <= this.#position.sequence && !this.#inHand.has(sequence)) this.handled(sequence);
      return true;
    }
    if (!(await this.#parts.take({ intake: this, message }, this.#stopping.signal))) return false;
    this.#taken = { queue, sequence };
    this.door.passes(message.body);
    return true;
  }
}
