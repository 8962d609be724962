import { type Database, migrate } from '../../../base';
import { MessageTooLargeError } from '../../errors';
import { QueueFullError } from '../errors';
import type { PublishResult, QueueStatus } from '../messages';
import { RoamingTable } from '../roaming/roaming-table';
import { type Commit, GroupCommit } from './group-commit';
import { type Added, costOf, type Limits, MessageTable, type StoredMessage } from './message-table';
import { SCHEMA } from './schema';
import { Statements } from './statements';
import { type Place, type Queue, SubscriberTable } from './subscriber-table';

/** A message on its way into the queue of a subscriber of this host. */
export interface Incoming extends Omit<StoredMessage, 'peer'> {
  subscriber: string;
  /** The sender's queue, and the place in it. */
  queue: string;
  sequence: number;
  retained: boolean;
  /** Of a subscriber that roams: under which the sender believes it to be here. */
  epoch: number | null;
}

/** Up to where the messages of a sender's queue are in. */
export interface Mark {
  subscriber: string;
  queue: string;
  sequence: number;
}

/** What has become of messages that came in. */
export interface Received {
  /** Up to where they are in. */
  marks: Mark[];
  /** Of subscribers that are not here, or not under that epoch: their sender will hear where they are. */
  refused: Mark[];
}

/** A queue of this host that is longer than this holds its senders back. */
const INBOX_MESSAGES = 4_000;
/** Of a subscriber that roams: what is here when it moves must be fetched while it stands still; the rest is sent anew. */
const ROAMING_MESSAGES = 500;
const INBOX_BYTES = 64 << 20;

/** All queues of this host: what waits for its own subscribers, and for those of others. */
export class Queues {
  readonly messages: MessageTable;
  readonly subscribers: SubscriberTable;
  readonly roaming: RoamingTable;
  readonly self: Place;
  readonly #statements: Statements;
  readonly #commit: GroupCommit;
  readonly #listeners = new Set<(queue: Queue) => void>();

  constructor(database: Database, self: Place) {
    migrate(database, 'messages', SCHEMA);
    this.#statements = new Statements(database);
    this.self = self;
    this.#commit = new GroupCommit(database);
    this.messages = new MessageTable(this.#statements);
    this.subscribers = new SubscriberTable(this.#statements, this.messages, self.peer);
    this.roaming = new RoamingTable(this.#statements, this.messages, self);
  }

  /** Hears of queues that have got a message, or room; the answer undoes it. */
  listen(listener: (queue: Queue) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells the listeners about a queue. */
  notify(queue: Queue): void {
    for (const listener of this.#listeners) listener(queue);
  }

  /** Changes something in the next transaction. */
  change<T>(work: () => T): Commit<T> {
    return this.#commit.add(work);
  }

  publish(topic: string, bodies: Buffer[], options: Limits & { retain: boolean }): Commit<PublishResult> {
    const { peer, host, site } = this.self;
    const time = Date.now();
    const reached: Queue[] = [];
    const commit = this.#commit.add(() => {
      reached.push(...this.subscribers.ofTopic(topic));
      if (options.policy === 'refuse') this.#checkRoom(reached, bodies, options);
      const messages = bodies.map((body) => ({
        topic,
        peer,
        host,
        site,
        time,
        retain: options.retain,
        body,
      }));
      const dropped = this.#deliver(messages, reached, options);
      const away = reached.filter((queue) => queue.peer !== peer);
      const waiting = away.reduce((sum, queue) => sum + queue.waiting, 0);
      return { subscribers: reached.length, waiting, dropped };
    });
    return this.#notifying(commit, reached);
  }

  /** Takes in messages of another host; those that came before are left out. */
  receive(peer: string, all: Incoming[]): Commit<Received> {
    const reached: Queue[] = [];
    const commit = this.#commit.add(() => {
      const marks = new Map<string, Mark>();
      const refused: Mark[] = [];
      const inboxes = new Map<string, Inbox>();
      for (const { subscriber, queue: name, sequence, retained, epoch, ...message } of all) {
        const mark = { subscriber, queue: name, sequence };
        const inbox = inboxes.get(subscriber) ?? this.#inbox(peer, subscriber);
        inboxes.set(subscriber, inbox);
        const { queue } = inbox;
        if (epoch !== (queue?.epoch ?? null)) {
          refused.push(mark);
          continue;
        }
        marks.set(`${name} ${subscriber}`, mark);
        // A subscriber that is gone wants nothing; its host will have said so.
        if (queue?.topic !== message.topic || !advance(inbox, mark)) continue;
        if (retained && queue.newest >= message.time) continue;
        const id = this.messages.insert({ ...message, peer });
        inbox.added.push({ message: id, bytes: costOf(message.body), time: message.time, retained });
        queue.newest = Math.max(queue.newest, message.time);
        if (message.retain) this.messages.retain(message.topic, id, message.time);
      }
      for (const [subscriber, inbox] of inboxes) this.#fill(peer, subscriber, inbox);
      reached.push(
        ...[...inboxes.values()].flatMap(({ queue, added }) => (queue && added.length > 0 ? queue : [])),
      );
      return { marks: [...marks.values()], refused };
    });
    return this.#notifying(commit, reached);
  }

  /** Whether the queue of a subscriber of this host has room for what others send. */
  hasRoom(subscriber: string): boolean {
    const queue = this.subscribers.find(this.self.peer, subscriber);
    if (!queue) return true;
    const most = queue.epoch === null ? INBOX_MESSAGES : ROAMING_MESSAGES;
    return queue.waiting < most && queue.bytes < INBOX_BYTES;
  }

  status(queue: Queue): QueueStatus {
    const oldest = this.messages.oldest(queue.id);
    return {
      topic: queue.topic,
      subscriber: queue.subscriber,
      from: this.self.host,
      to: queue.host,
      site: queue.site,
      peerId: queue.peer,
      waiting: queue.waiting,
      bytes: queue.bytes,
      dropped: queue.dropped,
      oldest: oldest === undefined ? null : new Date(oldest).toISOString(),
    };
  }

  close(): Promise<void> {
    return this.#commit.close();
  }

  #notifying<T>(commit: Commit<T>, queues: Queue[]): Commit<T> {
    const tell = () => {
      for (const queue of queues) this.notify(queue);
    };
    // The caller hears why it failed.
    commit.committed.then(tell).catch(() => {});
    return commit;
  }

  /** @returns how many messages were dropped */
  #deliver(messages: StoredMessage[], queues: Queue[], options: Limits): number {
    let dropped = 0;
    const added = new Map<Queue, Added[]>(queues.map((queue) => [queue, []]));
    for (const message of messages) {
      if (queues.length === 0 && !message.retain) continue;
      const bytes = costOf(message.body);
      const id = this.messages.insert(message);
      let waits = false;
      for (const [queue, waiting] of added) {
        if (options.policy === 'drop-oldest' && !this.messages.fits(queue, bytes, options)) {
          // The oldest may be among those that were published together.
          this.messages.enqueueAll(queue.id, waiting.splice(0));
          dropped += this.messages.makeRoom(queue, bytes, options);
        }
        if (this.messages.fits(queue, bytes, options)) {
          waiting.push({ message: id, bytes, time: message.time, retained: false });
          queue.waiting += 1;
          queue.bytes += bytes;
          waits = true;
        } else {
          this.messages.countDropped(queue.id);
          dropped += 1;
        }
      }
      if (message.retain) this.messages.retain(message.topic, id, message.time);
      if (!waits) this.messages.tidy(id);
    }
    for (const [queue, waiting] of added) this.messages.enqueueAll(queue.id, waiting);
    return dropped;
  }

  #checkRoom(queues: Queue[], bodies: Buffer[], { maximumMessages, maximumBytes }: Limits): void {
    const endless = bodies.map(costOf).find((cost) => cost > maximumBytes);
    if (endless !== undefined && queues.length > 0) {
      throw new MessageTooLargeError(`the message of ${queues[0]!.topic}`, endless, maximumBytes);
    }
    const bytes = bodies.reduce((sum, body) => sum + costOf(body), 0);
    const full = queues.find(
      (queue) => queue.waiting + bodies.length > maximumMessages || queue.bytes + bytes > maximumBytes,
    );
    if (full) throw new QueueFullError(full.topic, full.subscriber, full.host);
  }

  #inbox(peer: string, subscriber: string): Inbox {
    const arrived = this.#statements
      .prepare('SELECT queue, sequence FROM message_mark WHERE peer = ? AND subscriber = ?')
      .get(peer, subscriber) as Inbox['arrived'];
    const queue = this.subscribers.find(this.self.peer, subscriber);
    return { queue, arrived, isNews: false, added: [] };
  }

  #fill(peer: string, subscriber: string, { queue, arrived, isNews, added }: Inbox): void {
    if (queue) this.messages.enqueueAll(queue.id, added);
    if (!isNews) return;
    this.#statements
      .prepare('INSERT OR REPLACE INTO message_mark VALUES (?, ?, ?, ?)')
      .run(peer, subscriber, arrived!.queue, arrived!.sequence);
  }
}

/** What a transaction puts into the queue of a subscriber of this host. */
interface Inbox {
  queue: Queue | undefined;
  /** Up to where the messages of the sender's last queue are in; `isNews` where that is to be written. */
  arrived: { queue: string; sequence: number } | undefined;
  isNews: boolean;
  added: Added[];
}

/** @returns whether the message is new */
function advance(inbox: Inbox, { queue, sequence }: Mark): boolean {
  const { arrived } = inbox;
  if (arrived?.queue === queue && arrived.sequence >= sequence) return false;
  inbox.arrived = { queue, sequence };
  inbox.isNews = true;
  return true;
}
