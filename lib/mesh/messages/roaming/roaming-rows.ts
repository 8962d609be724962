import { randomBytes } from 'node:crypto';
import { InvalidArgumentError } from '../../../base';
import type { Statements } from '../queues/statements';
import type { Place, Queue } from '../queues/subscriber-table';
import { ASIDE } from './places';

/** A queue of a roaming subscriber. */
export type RoamingQueue = Queue & { epoch: number };

/** Up to where the messages of a sender's queue have come in. */
export interface Arrival {
  peer: string;
  queue: string;
  sequence: number;
}

/** The rows of `message_queue` that have an epoch, and the marks of their senders. */
export class RoamingRows {
  readonly #statements: Statements;
  readonly #self: string;

  /** `self`: this host's peer ID. */
  constructor(statements: Statements, self: string) {
    this.#statements = statements;
    this.#self = self;
  }

  of(subscriber: string): RoamingQueue[] {
    return this.#statements
      .prepare('SELECT * FROM message_queue WHERE subscriber = ? AND epoch IS NOT NULL ORDER BY id')
      .all(subscriber) as RoamingQueue[];
  }

  ofPeer(peer: string): RoamingQueue[] {
    return this.#statements
      .prepare('SELECT * FROM message_queue WHERE peer = ? AND epoch IS NOT NULL')
      .all(peer) as RoamingQueue[];
  }

  find(peer: string, subscriber: string): RoamingQueue | undefined {
    return this.of(subscriber).find((row) => row.peer === peer);
  }

  /** The sender's queue. */
  outbox(subscriber: string): RoamingQueue | undefined {
    const inboxes: string[] = [this.#self, ASIDE.handedOff, ASIDE.arriving];
    return this.of(subscriber).find((row) => !inboxes.includes(row.peer));
  }

  /** The highest that is known; 0 for none. */
  epoch(subscriber: string): number {
    return Math.max(0, ...this.of(subscriber).map(({ epoch }) => epoch));
  }

  names(): string[] {
    return this.#statements
      .prepare('SELECT DISTINCT subscriber FROM message_queue WHERE epoch IS NOT NULL ORDER BY subscriber')
      .pluck()
      .all() as string[];
  }

  /** @throws {InvalidArgumentError} where the name is that of a subscriber which does not roam */
  insert(peer: string, subscriber: string, topic: string): number {
    const taken = this.#statements
      .prepare('SELECT 1 FROM message_queue WHERE peer = ? AND subscriber = ? AND epoch IS NULL')
      .get(this.#self, subscriber);
    if (taken) throw new InvalidArgumentError(`${subscriber} names a subscriber of this host alone`);
    const { lastInsertRowid } = this.#statements
      .prepare(
        `INSERT INTO message_queue (peer, subscriber, topic, host, site, retained, name, epoch)
         VALUES (?, ?, ?, '', '', 0, ?, 0)`,
      )
      .run(peer, subscriber, topic, randomBytes(9).toString('base64url'));
    return Number(lastInsertRowid);
  }

  move(id: number, { peer, host, site }: Place, epoch: number): void {
    this.#statements
      .prepare('UPDATE message_queue SET peer = ?, host = ?, site = ?, epoch = ? WHERE id = ?')
      .run(peer, host, site, epoch, id);
  }

  setTopic(id: number, topic: string): void {
    this.#statements.prepare('UPDATE message_queue SET topic = ? WHERE id = ?').run(topic, id);
  }

  /** Removes a queue that is empty. */
  remove(id: number): void {
    this.#statements.prepare('DELETE FROM message_queue WHERE id = ?').run(id);
  }

  /** Removes all but the newest of a peer. */
  keepNewest(peer: string, count: number): void {
    this.#statements
      .prepare(
        `DELETE FROM message_queue WHERE peer = ? AND epoch IS NOT NULL
         AND id NOT IN (SELECT id FROM message_queue WHERE peer = ? ORDER BY id DESC LIMIT ?)`,
      )
      .run(peer, peer, count);
  }

  arrivals(subscriber: string): Arrival[] {
    return this.#statements
      .prepare('SELECT peer, queue, sequence FROM message_mark WHERE subscriber = ?')
      .all(subscriber) as Arrival[];
  }

  mark(subscriber: string, { peer, queue, sequence }: Arrival): void {
    this.#statements
      .prepare('INSERT OR REPLACE INTO message_mark VALUES (?, ?, ?, ?)')
      .run(peer, subscriber, queue, sequence);
  }

  forgetMarks(subscriber: string): void {
    this.#statements.prepare('DELETE FROM message_mark WHERE subscriber = ?').run(subscriber);
  }
}
