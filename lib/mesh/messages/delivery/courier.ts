import { setTimeout as delay } from 'node:timers/promises';
import type { ByteStream, Mesh } from '../../mesh';
import { checkMark, type MessageHead } from '../checks';
import type { Mark, Queues } from '../queues/queues';
import type { Queue } from '../queues/subscriber-table';
import { frame, readFrames } from './frames';
import { Window } from './window';

export const MESSAGE_STREAM = 'messages';

/** Bytes that go at once while there are more. */
const PIECE = 32 << 10;
/** Pauses between attempts to reach a host that is not there, in ms; that it is up again ends one early. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 15_000;

/** What is under way from one queue. */
interface Flight {
  queue: Queue;
  /** The last sequence number that was sent on this stream. */
  sent: number;
  window: Window;
}

/**
 * Brings what waits for the subscribers of one other host there, on one stream, each queue in its order. What
 * was not acknowledged when a stream broke is sent again on the next.
 */
export class Courier {
  readonly #peer: string;
  readonly #mesh: Mesh;
  readonly #queues: Queues;
  readonly #closing = new AbortController();
  /** Queues that may have something to send, in the order of their turns. */
  readonly #ready = new Map<number, Queue>();
  #flights = new Map<number, Flight>();
  #hurry = new AbortController();
  #wake: (() => void) | undefined;
  #broken: Error | undefined;
  /** Whether the other host has taken something on the last stream: one whose disk is full takes nothing. */
  #acknowledged = false;
  readonly #done: Promise<void>;

  constructor(peer: string, mesh: Mesh, queues: Queues) {
    this.#peer = peer;
    this.#mesh = mesh;
    this.#queues = queues;
    this.#done = this.#run();
  }

  /** A queue of this host has something new. */
  offer(queue: Queue): void {
    this.#ready.set(queue.id, queue);
    this.#wake?.();
  }

  /** The host is there: the next attempt is made now. */
  hurry(): void {
    this.#hurry.abort();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#hurry.abort();
    this.#wake?.();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      this.#hurry = new AbortController();
      try {
        this.#offerAll();
        if (this.#ready.size === 0) await this.#news();
        if (signal.aborted) return;
        await this.#ship(await this.#mesh.openStream(this.#peer, MESSAGE_STREAM, null, { signal }));
      } catch {
        // The host is away, the stream broke, or this host's disk fails: that is what the queue is for.
      }
      if (signal.aborted) return;
      if (this.#acknowledged) pause = FIRST_PAUSE;
      await delay(pause, undefined, { signal: this.#hurry.signal, ref: false }).catch(() => {});
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  async #ship(stream: ByteStream): Promise<void> {
    this.#flights = new Map();
    this.#acknowledged = false;
    const acknowledging = this.#readMarks(stream);
    try {
      while (!this.#closing.signal.aborted && !this.#broken) {
        if (!(await this.#sendNext(stream))) await this.#news();
      }
    } finally {
      stream.abort();
      await acknowledging;
      this.#broken = undefined;
    }
  }

  /** Sends what the queue whose turn it is has, a piece of it. @returns false when nothing may be sent now */
  async #sendNext(stream: ByteStream): Promise<boolean> {
    for (const [id, queue] of this.#ready) {
      this.#ready.delete(id);
      const frames = this.#take(queue);
      if (frames.length === 0) continue;
      this.#ready.set(id, queue);
      await stream.write(Buffer.concat(frames));
      return true;
    }
    return false;
  }

  /** The next messages of a queue, as far as its window allows. */
  #take(offered: Queue): Buffer[] {
    const frames: Buffer[] = [];
    const queue = this.#current(offered);
    if (!queue) return frames;
    const flight = this.#flightOf(queue);
    const limits = { messages: flight.window.room, bytes: PIECE };
    if (limits.messages === 0) return frames;
    for (const { body, peer: _self, ...facts } of this.#queues.messages.next(queue.id, flight.sent, limits)) {
      const head: MessageHead = { ...facts, ...markOf(queue) };
      frames.push(...frame(head, body));
      flight.sent = facts.sequence;
      flight.window.add(facts.sequence, body.length);
    }
    return frames;
  }

  /** Takes the acknowledgements: what the other host has on its disk is done with here. */
  async #readMarks(stream: ByteStream): Promise<void> {
    try {
      for await (const frames of readFrames(stream)) {
        const marks = frames.map(({ head }) => checkMark(head));
        await this.#queues.change(() => this.#acknowledge(marks)).committed;
        this.#acknowledged = true;
        this.#wake?.();
      }
      throw new Error('the other host ended the stream');
    } catch (error) {
      this.#broken = error as Error;
      this.#wake?.();
    }
  }

  #acknowledge(marks: Mark[]): void {
    for (const { subscriber, queue: name, sequence } of marks) {
      const queue = this.#queues.subscribers.find(this.#peer, subscriber);
      if (queue?.name !== name) continue;
      const flight = this.#flightOf(queue);
      // What was not sent cannot be there.
      this.#queues.messages.removeUpTo(queue.id, Math.min(sequence, flight.sent));
      flight.window.acknowledged(sequence);
      this.#ready.set(queue.id, queue);
    }
  }

  /** The subscriber may have moved to another host, or have gone and come back. */
  #current(queue: Queue): Queue | undefined {
    if (queue.epoch === null) return queue;
    const now = this.#queues.subscribers.find(this.#peer, queue.subscriber);
    return now?.id === queue.id ? now : undefined;
  }

  /** Another epoch begins with what was not acknowledged in the one before. */
  #flightOf(queue: Queue): Flight {
    let flight = this.#flights.get(queue.id);
    if (flight?.queue.epoch !== queue.epoch) {
      flight = { queue, sent: 0, window: new Window() };
      this.#flights.set(queue.id, flight);
    }
    return flight;
  }

  /** What waits, also what was under way on a stream that broke. */
  #offerAll(): void {
    for (const queue of this.#queues.subscribers.ofPeer(this.#peer)) if (queue.waiting > 0) this.offer(queue);
  }

  async #news(): Promise<void> {
    if (this.#ready.size > 0 || this.#broken || this.#closing.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

const markOf = ({ subscriber, name, epoch }: Queue) => ({ subscriber, queue: name, epoch });
