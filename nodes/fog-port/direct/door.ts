import type { Handed, Sender } from './handed';
import { isMark, markOf } from './mark';

/** What may wait at a door; more goes by way of the hosts, whose queues are on disk. */
const MOST_MESSAGES = 5_000;
const MOST_BYTES = 16 << 20;

/** A mark that somebody has sent. */
export interface Expected {
  /** It came out here: all that was sent before it has passed. */
  passed(): void;
  /** It will not come out here now. */
  lost(): void;
}

/** The doors of this process by their topics. */
const doors = new Map<string, Door>();

/**
 * Where the messages of a topic come in that need not leave this process. It takes over what its owner has no room for
 * yet, up to a limit, in the order in which it came.
 */
export class Door {
  readonly #topic: string;
  readonly #accept: (message: Handed) => boolean;
  #waiting: Handed[] = [];
  #bytes = 0;
  /** Marks that are on their way by way of the hosts. */
  readonly #expected = new Map<string, Expected>();
  readonly #senders = new Set<Sender>();

  /** The door of a topic, if it is in this process. */
  static of(topic: string): Door | undefined {
    return doors.get(topic);
  }

  /** `accept` takes a message over, and answers false where there is no room; then `pump` is to be called. */
  constructor(topic: string, accept: (message: Handed) => boolean) {
    this.#topic = topic;
    this.#accept = accept;
    doors.set(topic, this);
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Tells what becomes of a mark. @returns undoes it */
  expect(mark: string, expected: Expected): () => void {
    this.#expected.set(mark, expected);
    return () => this.#expected.delete(mark);
  }

  /** Whether a message that came by way of the hosts is a mark; if so, who waits for it learns of it. */
  passes(body: string): boolean {
    if (!isMark(body)) return false;
    const mark = markOf(body);
    const expected = this.#expected.get(mark);
    this.#expected.delete(mark);
    expected?.passed();
    return true;
  }

  /** From now on the sender hears when it must go the other way. */
  enter(sender: Sender): void {
    this.#senders.add(sender);
  }

  /** Takes a message over. @returns false when too much waits */
  offer(message: Handed): boolean {
    if (this.#waiting.length === 0 && this.#accept(message)) return true;
    if (this.#waiting.length >= MOST_MESSAGES || this.#bytes >= MOST_BYTES) return false;
    this.#waiting.push(message);
    this.#bytes += message.bytes;
    return true;
  }

  /** There is room again, for at most so many. */
  pump(most: number): void {
    let count = 0;
    while (count < most && count < this.#waiting.length && this.#accept(this.#waiting[count]!)) count += 1;
    for (const { bytes } of this.#waiting.splice(0, count)) this.#bytes -= bytes;
  }

  /** The sender goes the other way from now on. @returns what waits of its messages */
  leave(sender: Sender): Handed[] {
    this.#senders.delete(sender);
    const { mine = [], others = [] } = Object.groupBy(this.#waiting, (message) =>
      message.sender === sender ? 'mine' : 'others',
    );
    this.#waiting = others;
    this.#bytes = others.reduce((sum, { bytes }) => sum + bytes, 0);
    return mine;
  }

  /** All senders have back what waits, after what its owner gives back; each may come again by a mark. */
  interrupt(rest: Handed[] = []): void {
    const all = Map.groupBy([...rest, ...this.#waiting], ({ sender }) => sender);
    const senders = [...this.#senders];
    const expected = [...this.#expected.values()];
    this.#senders.clear();
    this.#expected.clear();
    this.#waiting = [];
    this.#bytes = 0;
    for (const sender of senders) sender.takeBack(all.get(sender) ?? []);
    for (const { lost } of expected) lost();
  }

  close(rest: Handed[] = []): void {
    if (doors.get(this.#topic) === this) doors.delete(this.#topic);
    this.interrupt(rest);
  }
}
