import { encodeMessage } from '../../fog-messages';
import { Door } from './door';
import type { Content, Handed, Sender } from './handed';
import { makeMark } from './mark';

export interface RouteParts {
  topic: string;
  /**
   * Sends a message by way of the hosts, after those of the calls before. Resolves when it is on disk, with the bytes of
   * its text.
   */
  publish(content: Content): Promise<number>;
  /** Of each message as it is sent, about how large its text is. */
  onSent?: ((bytes: number) => void) | undefined;
  /** Where others have the same object: a copy of it, for the other end alone. */
  copy?: ((content: Content) => Content) | undefined;
}

/** How long a mark may be on its way, in ms, and how many messages may wait for it. */
const PATIENCE = 5_000;
const MOST_HELD = 1_000;
/** After it did not come in time, and after too much waited at the door, in ms. */
const PAUSE = 5_000;
/** One message of so many is looked at to know how large they are. */
const SAMPLE = 128;
/** They belong to a connection of this process, and do not go along by way of the hosts either. */
const CONNECTION = ['req', 'res'];

interface Held {
  content: Content;
  done: (error?: unknown) => void;
}

/**
 * The way of one sender's messages to a topic. Where the other end is in this process they are handed over as they are,
 * else, and while too much waits there, the hosts bring them. Their order is kept: before it hands over the first
 * message, it sends a mark by way of the hosts, and goes on when that has come out at the other end.
 */
export class Route implements Sender {
  readonly #parts: RouteParts;
  /** Where messages are handed over. */
  #door: Door | undefined;
  /** While a mark is on its way: what waits for it, and how to give up. */
  #held: Held[] | undefined;
  #giveUp: (() => void) | undefined;
  #notBefore = 0;
  #bytes = 0;
  #count = 0;
  #isClosed = false;

  constructor(parts: RouteParts) {
    this.#parts = parts;
  }

  /** Sends a message. `done` is called when it is handled at the other end, or on disk, or has failed. */
  send(content: Content, done: (error?: unknown) => void): void {
    if (this.#door) {
      if (this.#hand(this.#door, content, done)) return;
      this.#leave();
    } else if (this.#held) {
      this.#held.push({ content, done });
      if (this.#held.length >= MOST_HELD) this.#giveUp!();
      return;
    }
    this.#publish(content, done);
    const door = Door.of(this.#parts.topic);
    if (door && !this.#isClosed && performance.now() >= this.#notBefore) this.#approach(door);
  }

  takeBack(messages: Handed[]): void {
    this.#door = undefined;
    for (const { content, done } of messages) this.#publish(content, done);
  }

  /** All that is not handed over yet goes by way of the hosts, as does all that comes later. */
  close(): void {
    this.#isClosed = true;
    this.#giveUp?.();
    this.#leave();
  }

  #leave(): void {
    const door = this.#door;
    if (!door) return;
    this.#notBefore = performance.now() + PAUSE;
    this.takeBack(door.leave(this));
  }

  #hand(door: Door, content: Content, done: (error?: unknown) => void): boolean {
    const { copy } = this.#parts;
    const own = copy ? copy(content) : content;
    this.#count += 1;
    // What it would take on its way to another site decides where operators are.
    if (this.#count % SAMPLE === 0) this.#weigh(own);
    const bytes = this.#bytes;
    if (!door.offer({ content: withoutConnection(own), bytes, sender: this, done })) return false;
    this.#parts.onSent?.(bytes);
    return true;
  }

  #weigh(content: Content): void {
    encodeMessage(content).then(
      ({ text }) => {
        this.#bytes = text.length;
      },
      // It says so when it must go by way of the hosts.
      () => {},
    );
  }

  #publish(content: Content, done: (error?: unknown) => void): void {
    this.#parts.publish(content).then(
      (bytes) => {
        this.#bytes = bytes;
        done();
      },
      (error) => done(error),
    );
  }

  /** Follows what is on its way with a mark. */
  #approach(door: Door): void {
    const { mark, content } = makeMark();
    const held: Held[] = [];
    this.#held = held;
    const end = () => {
      clearTimeout(timer);
      forget();
      this.#held = undefined;
      this.#giveUp = undefined;
    };
    const giveUp = () => {
      end();
      this.#notBefore = performance.now() + PAUSE;
      for (const each of held) this.#publish(each.content, each.done);
    };
    const passed = () => {
      end();
      door.enter(this);
      this.#door = door;
      for (const each of held) this.send(each.content, each.done);
    };
    const forget = door.expect(mark, { passed, lost: giveUp });
    this.#giveUp = giveUp;
    const timer = setTimeout(giveUp, PATIENCE).unref();
    this.#parts.publish(content).catch(() => this.#held === held && giveUp());
  }
}

function withoutConnection(content: Content): Content {
  const isConnection = (key: string) => typeof content[key] === 'object' && content[key] !== null;
  if (!CONNECTION.some(isConnection)) return content;
  return Object.fromEntries(
    Object.entries(content).filter(([key]) => !(CONNECTION.includes(key) && isConnection(key))),
  );
}
