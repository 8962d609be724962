import { InvalidArgumentError } from '../../../base';
import type { MessageTable } from '../queues/message-table';
import type { Statements } from '../queues/statements';
import type { Place, Queue } from '../queues/subscriber-table';
import { RoamingNotHereError, RoamingOutdatedError } from './errors';
import { ASIDE, hasHost } from './places';
import type { RoamingStatus } from './roaming';
import { type Arrival, type RoamingQueue, RoamingRows } from './roaming-rows';

/** A roaming subscriber as the host that holds it announces it. */
export interface Roamer {
  name: string;
  topic: string;
  epoch: number;
  /** Whether it was forgotten there. */
  gone: boolean;
}

/** Forgotten subscribers whose epochs are kept. */
const MOST_GONE = 1_000;

/**
 * Roaming subscribers, each with a queue for what is published here, and with one for its consumer where this host is
 * or was the holder. Call what changes something inside a transaction.
 */
export class RoamingTable {
  readonly #rows: RoamingRows;
  readonly #messages: MessageTable;
  readonly #self: Place;

  constructor(statements: Statements, messages: MessageTable, self: Place) {
    this.#rows = new RoamingRows(statements, self.peer);
    this.#messages = messages;
    this.#self = self;
  }

  /** Makes the sender's queue where there is none. */
  expect(topic: string, subscriber: string): void {
    this.#settle(subscriber, topic);
    if (!this.#rows.outbox(subscriber) && !this.inbox(subscriber)) {
      this.#rows.insert(ASIDE.nowhere, subscriber, topic);
    }
  }

  /** Makes this host the holder, with what it has handed off or has had so far. @throws {RoamingOutdatedError} */
  hold(topic: string, subscriber: string, epoch: number): Queue {
    const held = this.inbox(subscriber);
    if (held?.epoch === epoch && held.topic === topic) return held;
    this.#checkNewer(subscriber, epoch);
    this.#settle(subscriber, topic);
    const inbox = held ?? this.#rows.find(ASIDE.handedOff, subscriber);
    if (!inbox) this.#rows.forgetMarks(subscriber);
    return this.#activate(
      inbox?.id ?? this.#rows.insert(ASIDE.arriving, subscriber, topic),
      subscriber,
      epoch,
    );
  }

  /** @throws {RoamingNotHereError} */
  handOff(subscriber: string): void {
    const inbox = this.inbox(subscriber);
    if (inbox) this.#setAside(inbox);
    else this.handedOff(subscriber);
  }

  /** @throws {RoamingNotHereError} {RoamingOutdatedError} */
  takeBack(subscriber: string, epoch: number): Queue {
    const { topic } = this.inbox(subscriber) ?? this.handedOff(subscriber);
    return this.hold(topic, subscriber, epoch);
  }

  release(subscriber: string): void {
    const copy = this.#rows.find(ASIDE.handedOff, subscriber);
    if (!copy) return;
    this.#remove(copy);
    this.#rows.forgetMarks(subscriber);
  }

  /** An empty queue to fetch into what another host has handed off. @throws {RoamingOutdatedError} */
  prepare(topic: string, subscriber: string, epoch: number): number {
    this.#checkNewer(subscriber, epoch);
    this.#settle(subscriber, topic);
    const left = this.#rows.find(ASIDE.arriving, subscriber);
    if (left) this.#remove(left);
    return this.#rows.insert(ASIDE.arriving, subscriber, topic);
  }

  /** All is fetched: this host is the holder. @throws {RoamingOutdatedError} */
  arrive(subscriber: string, epoch: number, arrivals: Arrival[]): Queue {
    this.#checkNewer(subscriber, epoch);
    const arriving = this.#rows.find(ASIDE.arriving, subscriber);
    if (!arriving) throw new RoamingNotHereError(subscriber, this.#self.host);
    for (const peer of [this.#self.peer, ASIDE.handedOff]) {
      const stale = this.#rows.find(peer, subscriber);
      if (stale) this.#remove(stale);
    }
    this.#rows.forgetMarks(subscriber);
    for (const arrival of arrivals) this.#rows.mark(subscriber, arrival);
    return this.#activate(arriving.id, subscriber, epoch);
  }

  /** Takes over what a host announces. @returns subscribers that this host holds no longer */
  heard(place: Place, all: Roamer[]): string[] {
    const lost: string[] = [];
    for (const roamer of all) {
      const known = this.#rows.epoch(roamer.name);
      const isSame = known === roamer.epoch && this.#rows.outbox(roamer.name)?.peer === place.peer;
      if (known >= roamer.epoch && !isSame) continue;
      const inbox = this.inbox(roamer.name);
      if (inbox) {
        lost.push(roamer.name);
        this.#setAside(inbox);
      }
      if (roamer.gone) this.#bury(roamer, place);
      else this.#point(roamer, place);
    }
    const names = new Set(all.map(({ name }) => name));
    for (const queue of this.#rows.ofPeer(place.peer)) if (!names.has(queue.subscriber)) this.#lose(queue);
    return lost;
  }

  /** What this host announces. */
  own(): Roamer[] {
    const gone = this.#rows.ofPeer(ASIDE.gone).filter(({ host }) => host === this.#self.host);
    return [...this.#rows.ofPeer(this.#self.peer), ...gone].map(({ subscriber, topic, epoch, peer }) => ({
      name: subscriber,
      topic,
      epoch,
      gone: peer === ASIDE.gone,
    }));
  }

  /** Forgets a subscriber; where this host holds or held it, the others hear of it. */
  forget(subscriber: string): void {
    const copy = this.inbox(subscriber) ?? this.#rows.find(ASIDE.handedOff, subscriber);
    if (copy) {
      const epoch = this.#rows.epoch(subscriber) + 1;
      this.#bury({ name: subscriber, topic: copy.topic, epoch, gone: true }, this.#self);
    } else for (const queue of this.#rows.of(subscriber)) this.#remove(queue);
  }

  /** The host will not come back: what is published waits for another holder. */
  forgetPeer(peer: string): void {
    for (const queue of this.#rows.ofPeer(peer)) this.#lose(queue);
  }

  /** The consumer's queue, where this host holds it. */
  inbox(subscriber: string): RoamingQueue | undefined {
    return this.#rows.find(this.#self.peer, subscriber);
  }

  /** @throws {RoamingNotHereError} */
  handedOff(subscriber: string): RoamingQueue {
    const copy = this.#rows.find(ASIDE.handedOff, subscriber);
    if (!copy) throw new RoamingNotHereError(subscriber, this.#self.host);
    return copy;
  }

  arrivals(subscriber: string): Arrival[] {
    return this.#rows.arrivals(subscriber);
  }

  status(subscriber: string): RoamingStatus | undefined {
    const outbox = this.#rows.outbox(subscriber);
    const inbox = this.inbox(subscriber);
    const copy = this.#rows.find(ASIDE.handedOff, subscriber);
    const queue = inbox ?? copy ?? outbox;
    if (!queue || queue.peer === ASIDE.gone) return undefined;
    const elsewhere = outbox && hasHost(outbox) ? outbox.peer : null;
    const { topic, waiting, bytes } = queue;
    return {
      topic,
      subscriber,
      epoch: this.#rows.epoch(subscriber),
      state: inbox ? 'here' : copy ? 'handed-off' : elsewhere === null ? 'nowhere' : 'elsewhere',
      peerId: inbox ? this.#self.peer : elsewhere,
      waiting,
      bytes,
    };
  }

  all(): RoamingStatus[] {
    return this.#rows.names().flatMap((subscriber) => this.status(subscriber) ?? []);
  }

  /** The consumer's queue gets what this host has published meanwhile; later messages go straight to it. */
  #activate(id: number, subscriber: string, epoch: number): Queue {
    const { peer } = this.#self;
    this.#rows.move(id, this.#self, epoch);
    const outbox = this.#rows.outbox(subscriber);
    if (outbox) {
      const arrived = this.#rows.arrivals(subscriber).find((arrival) => arrival.peer === peer);
      if (arrived?.queue === outbox.name) this.#messages.removeUpTo(outbox.id, arrived.sequence);
      this.#messages.append(outbox.id, id);
      this.#rows.mark(subscriber, { peer, queue: outbox.name, sequence: outbox.next - 1 });
      this.#rows.move(outbox.id, { ...this.#self, peer: ASIDE.resting }, epoch);
    }
    return this.inbox(subscriber)!;
  }

  /** What is published from now on waits for the next holder. */
  #setAside({ id, subscriber, topic, epoch }: RoamingQueue): void {
    this.#rows.move(id, { ...this.#self, peer: ASIDE.handedOff }, epoch);
    this.#lose(
      this.#rows.outbox(subscriber) ?? { id: this.#rows.insert(ASIDE.nowhere, subscriber, topic), epoch },
    );
  }

  #point({ name, topic, epoch }: Roamer, place: Place): void {
    const outbox = this.#rows.outbox(name);
    const id = outbox?.id ?? this.#rows.insert(ASIDE.nowhere, name, topic);
    if (outbox && outbox.topic !== topic) this.#rows.setTopic(id, topic);
    this.#rows.move(id, place, epoch);
  }

  #lose({ id, epoch }: Pick<RoamingQueue, 'id' | 'epoch'>): void {
    this.#rows.move(id, { peer: ASIDE.nowhere, host: '', site: '' }, epoch);
  }

  /** Leaves nothing but the epoch. */
  #bury({ name, topic, epoch }: Roamer, place: Place): void {
    for (const queue of this.#rows.of(name)) this.#remove(queue);
    this.#rows.forgetMarks(name);
    this.#rows.move(this.#rows.insert(ASIDE.gone, name, topic), { ...place, peer: ASIDE.gone }, epoch);
    this.#rows.keepNewest(ASIDE.gone, MOST_GONE);
  }

  /** A subscriber that comes again after it was forgotten may have another topic. @throws {InvalidArgumentError} */
  #settle(subscriber: string, topic: string): void {
    const rows = this.#rows.of(subscriber);
    const gone = rows.find(({ peer }) => peer === ASIDE.gone);
    const other = rows.find((row) => row !== gone && row.topic !== topic);
    if (other) throw new InvalidArgumentError(`${subscriber} has the topic ${other.topic}, not ${topic}`);
    if (!gone) return;
    this.#rows.setTopic(gone.id, topic);
    this.#lose(gone);
  }

  #remove({ id }: RoamingQueue): void {
    this.#messages.clear(id);
    this.#rows.remove(id);
  }

  #checkNewer(subscriber: string, epoch: number): void {
    const known = this.#rows.epoch(subscriber);
    if (epoch <= known) throw new RoamingOutdatedError(subscriber, epoch, known);
  }
}
