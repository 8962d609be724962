import type { QueuePolicy } from '../messages';
import type { Statements } from './statements';
import type { Queue } from './subscriber-table';

/** A message, whoever waits for it. */
export interface StoredMessage {
  topic: string;
  /** The host that published it. */
  peer: string;
  host: string;
  site: string;
  /** ms since the epoch, by that host's clock. */
  time: number;
  retain: boolean;
  body: Buffer;
}

/** A message in a queue. */
export interface Entry extends StoredMessage {
  sequence: number;
  /** Whether it was there before the subscriber. */
  retained: boolean;
}

export interface Limits {
  policy: QueuePolicy;
  maximumMessages: number;
  maximumBytes: number;
}

/** What has left a queue. */
interface Removed {
  message: number;
  bytes: number;
}

const BYTES_OF_ENTRY = '(SELECT bytes FROM message WHERE id = message_entry.message) AS bytes';

type EntryRow = Omit<Entry, 'retain' | 'retained'> & { retain: 0 | 1; retained: 0 | 1 };

/** A message that is put into a queue. */
export interface Added {
  message: number;
  bytes: number;
  time: number;
  retained: boolean;
}

/** What a message costs beside its text, in bytes of a queue's limit. */
const OVERHEAD = 100;
export const costOf = (body: Buffer): number => body.length + OVERHEAD;

/** Messages, each stored once however many queues it waits in. Call what changes something inside a transaction. */
export class MessageTable {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  insert({ topic, peer, host, site, time, retain, body }: StoredMessage): number {
    const { lastInsertRowid } = this.#statements
      .prepare(
        'INSERT INTO message (topic, peer, host, site, time, retain, bytes, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(topic, peer, host, site, time, Number(retain), costOf(body), body);
    return Number(lastInsertRowid);
  }

  /** Puts messages at the end of a queue, in their order: the queue itself is written once. */
  enqueueAll(queue: number, all: readonly Added[]): void {
    if (all.length === 0) return;
    const bytes = all.reduce((sum, added) => sum + added.bytes, 0);
    const newest = all.reduce((latest, { time }) => Math.max(latest, time), 0);
    const { next } = this.#statements
      .prepare(
        `UPDATE message_queue SET next = next + ?, waiting = waiting + ?, bytes = bytes + ?, newest = max(newest, ?)
         WHERE id = ? RETURNING next`,
      )
      .get(all.length, all.length, bytes, newest, queue) as { next: number };
    const insert = this.#statements.prepare('INSERT INTO message_entry VALUES (?, ?, ?, ?)');
    for (const [at, { message, retained }] of all.entries()) {
      insert.run(queue, next - all.length + at, message, Number(retained));
    }
  }

  /** Whether a queue has room for one more message of so many bytes. */
  fits({ waiting, bytes }: Queue, more: number, { maximumMessages, maximumBytes }: Limits): boolean {
    return waiting + 1 <= maximumMessages && bytes + more <= maximumBytes;
  }

  /** Drops the oldest until there is room, none where the message can never fit. @returns how many */
  makeRoom(queue: Queue, more: number, limits: Limits): number {
    let dropped = 0;
    if (more > limits.maximumBytes) return dropped;
    while (queue.waiting > 0 && !this.fits(queue, more, limits)) {
      queue.bytes -= this.remove(queue.id, [this.#first(queue.id)!], true);
      queue.waiting -= 1;
      dropped += 1;
    }
    return dropped;
  }

  countDropped(queue: number): void {
    this.#statements.prepare('UPDATE message_queue SET dropped = dropped + 1 WHERE id = ?').run(queue);
  }

  /** The first messages of a queue after that sequence number, in their order, as far as the limits allow; one at least. */
  next(queue: number, after: number, { messages, bytes }: { messages: number; bytes: number }): Entry[] {
    const rows = this.#statements
      .prepare(
        `SELECT sequence, retained, topic, peer, host, site, time, retain, body FROM message_entry
         JOIN message ON message.id = message WHERE queue = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
      )
      .iterate(queue, after, messages) as Iterable<EntryRow>;
    const entries: Entry[] = [];
    let size = 0;
    for (const row of rows) {
      entries.push({ ...row, retain: row.retain === 1, retained: row.retained === 1 });
      size += row.body.length;
      // Large ones are not read before their turn.
      if (size >= bytes) break;
    }
    return entries;
  }

  /** Removes what is there of these. @returns the bytes that it took */
  remove(queue: number, sequences: readonly number[], dropped = false): number {
    const one = this.#statements.prepare(
      `DELETE FROM message_entry WHERE queue = ? AND sequence = ? RETURNING message, ${BYTES_OF_ENTRY}`,
    );
    const removed = sequences.flatMap((sequence) => (one.get(queue, sequence) as Removed | undefined) ?? []);
    return this.#removed(queue, removed, dropped);
  }

  /** Removes all up to that sequence number. */
  removeUpTo(queue: number, sequence: number): void {
    const removed = this.#statements
      .prepare(
        `DELETE FROM message_entry WHERE queue = ? AND sequence <= ? RETURNING message, ${BYTES_OF_ENTRY}`,
      )
      .all(queue, sequence) as Removed[];
    this.#removed(queue, removed, false);
  }

  /** Puts all that is in one queue at the end of another. */
  append(from: number, to: number): void {
    this.#statements
      .prepare(
        `INSERT INTO message_entry SELECT ?, (SELECT next FROM message_queue WHERE id = ?)
         + row_number() OVER (ORDER BY sequence) - 1, message, retained FROM message_entry WHERE queue = ?`,
      )
      .run(to, to, from);
    this.#statements.prepare('DELETE FROM message_entry WHERE queue = ?').run(from);
    this.#statements
      .prepare(
        `UPDATE message_queue SET next = next + source.waiting, waiting = message_queue.waiting + source.waiting,
         bytes = message_queue.bytes + source.bytes, newest = max(message_queue.newest, source.newest)
         FROM (SELECT waiting, bytes, newest FROM message_queue WHERE id = ?) AS source WHERE message_queue.id = ?`,
      )
      .run(from, to);
    this.#statements.prepare('UPDATE message_queue SET waiting = 0, bytes = 0 WHERE id = ?').run(from);
  }

  clear(queue: number): void {
    this.removeUpTo(queue, Number.MAX_SAFE_INTEGER);
  }

  /** When the oldest message of a queue was published, in ms since the epoch. */
  oldest(queue: number): number | undefined {
    const row = this.#statements
      .prepare(
        'SELECT time FROM message_entry JOIN message ON message.id = message WHERE queue = ? ORDER BY sequence LIMIT 1',
      )
      .get(queue) as { time: number } | undefined;
    return row?.time;
  }

  /** Removes a message that nobody waits for. */
  tidy(message: number): void {
    this.#statements
      .prepare(
        `DELETE FROM message WHERE id = ? AND NOT EXISTS (SELECT 1 FROM message_entry WHERE message = message.id)
         AND NOT EXISTS (SELECT 1 FROM message_retained WHERE message = message.id)`,
      )
      .run(message);
  }

  /** Keeps a message as the value of its topic, unless a newer one is kept. */
  retain(topic: string, message: number, time: number): void {
    const kept = this.#statements
      .prepare('SELECT message, time FROM message_retained WHERE topic = ?')
      .get(topic) as { message: number; time: number } | undefined;
    if (kept && kept.time > time) return;
    this.#statements
      .prepare(
        'INSERT INTO message_retained VALUES (?, ?, ?) ON CONFLICT (topic) DO UPDATE SET message = excluded.message, time = excluded.time',
      )
      .run(topic, message, time);
    if (kept) this.tidy(kept.message);
  }

  forgetRetained(topic: string): void {
    const row = this.#statements
      .prepare('DELETE FROM message_retained WHERE topic = ? RETURNING message')
      .get(topic) as { message: number } | undefined;
    if (row) this.tidy(row.message);
  }

  /** Gives a new queue what is kept of its topic. */
  addRetained(queue: number, topic: string): void {
    const kept = this.#statements
      .prepare(
        'SELECT message, message.time, bytes FROM message_retained JOIN message ON message.id = message WHERE message_retained.topic = ?',
      )
      .get(topic) as { message: number; time: number; bytes: number } | undefined;
    if (kept) this.enqueueAll(queue, [{ ...kept, retained: true }]);
  }

  #removed(queue: number, removed: readonly Removed[], dropped: boolean): number {
    if (removed.length === 0) return 0;
    const bytes = removed.reduce((sum, entry) => sum + entry.bytes, 0);
    this.#statements
      .prepare(
        'UPDATE message_queue SET waiting = waiting - ?, bytes = bytes - ?, dropped = dropped + ? WHERE id = ?',
      )
      .run(removed.length, bytes, dropped ? removed.length : 0, queue);
    for (const { message } of removed) this.tidy(message);
    return bytes;
  }

  #first(queue: number): number | undefined {
    const row = this.#statements
      .prepare('SELECT sequence FROM message_entry WHERE queue = ? ORDER BY sequence LIMIT 1')
      .get(queue) as { sequence: number } | undefined;
    return row?.sequence;
  }
}
