import { randomBytes } from 'node:crypto';
import { isShown, takesMessages } from '../roaming/places';
import type { MessageTable } from './message-table';
import type { Statements } from './statements';

/** A subscriber as its host announces it. */
export interface Subscriber {
  name: string;
  topic: string;
  /** Whether it first gets what was retained. */
  retained: boolean;
}

/** The host that a subscriber is on. */
export interface Place {
  peer: string;
  host: string;
  site: string;
}

/** A row of `message_queue`. */
export interface Queue extends Place {
  id: number;
  subscriber: string;
  topic: string;
  retained: 0 | 1;
  /** Random: tells this queue from one that was made for the same subscriber before. */
  name: string;
  next: number;
  waiting: number;
  bytes: number;
  dropped: number;
  /** Time of the newest message that came. */
  newest: number;
  /** Of a subscriber that roams: under which its host holds it. */
  epoch: number | null;
}

/** Who has subscribed to what, on all hosts; each subscriber is a queue here. Call it inside a transaction. */
export class SubscriberTable {
  readonly #statements: Statements;
  readonly #messages: MessageTable;
  readonly #self: string;

  /** `self`: this host's peer ID. */
  constructor(statements: Statements, messages: MessageTable, self: string) {
    this.#statements = statements;
    this.#messages = messages;
    this.#self = self;
  }

  all(): Queue[] {
    const rows = this.#statements.prepare('SELECT * FROM message_queue ORDER BY topic, host, subscriber');
    return (rows.all() as Queue[]).filter(isShown);
  }

  find(peer: string, subscriber: string): Queue | undefined {
    const row = this.#statements.prepare('SELECT * FROM message_queue WHERE peer = ? AND subscriber = ?');
    return row.get(peer, subscriber) as Queue | undefined;
  }

  ofTopic(topic: string): Queue[] {
    const rows = this.#statements.prepare('SELECT * FROM message_queue WHERE topic = ?');
    return (rows.all(topic) as Queue[]).filter(takesMessages);
  }

  ofPeer(peer: string): Queue[] {
    return this.#statements.prepare('SELECT * FROM message_queue WHERE peer = ?').all(peer) as Queue[];
  }

  /** Makes or changes the queue of a subscriber; a new one gets what is retained. @returns whether it is new */
  put({ peer, host, site }: Place, { name, topic, retained }: Subscriber): boolean {
    const known = this.find(peer, name);
    if (known?.topic === topic) {
      this.#statements
        .prepare('UPDATE message_queue SET host = ?, site = ? WHERE id = ?')
        .run(host, site, known.id);
      return false;
    }
    // One that roams has the name for the whole fog.
    if (known && known.epoch !== null) return false;
    if (known) this.remove(known);
    const { lastInsertRowid } = this.#statements
      .prepare(
        'INSERT INTO message_queue (peer, subscriber, topic, host, site, retained, name) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(peer, name, topic, host, site, Number(retained), randomBytes(9).toString('base64url'));
    if (retained) this.#messages.addRetained(Number(lastInsertRowid), topic);
    return true;
  }

  remove({ id, peer, subscriber }: Queue): void {
    this.#messages.clear(id);
    this.#statements.prepare('DELETE FROM message_queue WHERE id = ?').run(id);
    if (peer !== this.#self) return;
    this.#statements.prepare('DELETE FROM message_mark WHERE subscriber = ?').run(subscriber);
  }

  /** Takes over what a host announces, unless something newer is known. @returns the newest version that is known */
  announced(place: Place, version: number, subscribers: Subscriber[]): number {
    const known = this.announcedVersion(place.peer);
    if (known >= version) return known;
    const names = new Set(subscribers.map(({ name }) => name));
    for (const queue of this.#fixed(place.peer)) if (!names.has(queue.subscriber)) this.remove(queue);
    for (const subscriber of subscribers) this.put(place, subscriber);
    this.#setVersion(place.peer, version);
    return version;
  }

  /** A host that never comes back takes its queues along. */
  forgetPeer(peer: string): void {
    for (const queue of this.#fixed(peer)) this.remove(queue);
    this.#statements.prepare('DELETE FROM message_announcement WHERE peer = ?').run(peer);
    this.#statements.prepare('DELETE FROM message_mark WHERE peer = ?').run(peer);
  }

  /** This host's own subscribers, and the number of what it says about them. */
  own(): { version: number; subscribers: Subscriber[] } {
    const subscribers = this.#fixed(this.#self).map(({ subscriber, topic, retained }) => ({
      name: subscriber,
      topic,
      retained: retained === 1,
    }));
    return { version: this.announcedVersion(this.#self) || this.changed(), subscribers };
  }

  /** This host's own subscribers have changed; `known`: a version that another host has seen of it. */
  changed(known = 0): number {
    const version = Math.max(Date.now(), this.announcedVersion(this.#self) + 1, known + 1);
    this.#setVersion(this.#self, version);
    return version;
  }

  /** The queues of subscribers that do not roam. */
  #fixed(peer: string): Queue[] {
    return this.ofPeer(peer).filter(({ epoch }) => epoch === null);
  }

  /** Of what a host has announced; 0 before it has. */
  announcedVersion(peer: string): number {
    const row = this.#statements.prepare('SELECT version FROM message_announcement WHERE peer = ?').get(peer);
    return (row as { version: number } | undefined)?.version ?? 0;
  }

  #setVersion(peer: string, version: number): void {
    this.#statements
      .prepare(
        'INSERT INTO message_announcement VALUES (?, ?) ON CONFLICT (peer) DO UPDATE SET version = excluded.version',
      )
      .run(peer, version);
  }
}
