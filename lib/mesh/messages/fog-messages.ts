import { type Database, InvalidArgumentError } from '../../base';
import { MessageTooLargeError } from '../errors';
import type { Mesh, MeshEvent } from '../mesh';
import { Announcer } from './announcer';
import { isName } from './checks';
import { Courier } from './delivery/courier';
import { Receiver } from './delivery/receiver';
import { Subscription } from './delivery/subscription';
import {
  MAXIMUM_BODY,
  type Message,
  type Messages,
  type PublishOptions,
  type PublishResult,
  type QueueChoice,
  type QueueStatus,
  type SubscribeOptions,
} from './messages';
import { Queues } from './queues/queues';
import type { Queue } from './queues/subscriber-table';
import { RoamingNotHereError } from './roaming/errors';
import { hasHost } from './roaming/places';
import type { RoamingStatus, RoamOptions, TakeOverOptions } from './roaming/roaming';
import { RoamingMessages } from './roaming/roaming-messages';

const DEFAULT_MESSAGES = 10_000;
const DEFAULT_BYTES = 64 << 20;
const POLICIES = ['drop-oldest', 'drop-newest', 'refuse'];

/** Messages over a mesh; without a fog, among the subscribers of this host. */
export class FogMessages implements Messages {
  readonly #mesh: Mesh;
  readonly #queues: Queues;
  readonly #announcer: Announcer;
  readonly #receiver: Receiver;
  readonly #roaming: RoamingMessages;
  /** One per host that something ever waited for in this run. */
  readonly #couriers = new Map<string, Courier>();
  /** Open subscribers of this host. */
  readonly #open = new Map<string, Subscription>();
  readonly #closing = new AbortController();

  constructor(mesh: Mesh, database: Database) {
    this.#mesh = mesh;
    this.#queues = new Queues(database, { peer: mesh.peerId, host: mesh.name, site: mesh.site });
    this.#receiver = new Receiver(mesh, this.#queues);
    this.#announcer = new Announcer(mesh, this.#queues, (peer, lost) => {
      for (const subscriber of lost) this.#open.get(subscriber)?.end();
      this.#deliverTo(peer);
    });
    this.#roaming = new RoamingMessages({
      mesh,
      queues: this.#queues,
      announce: () => this.#announcer.announce(),
      endSubscription: (subscriber) => this.#open.get(subscriber)?.end(),
    });
    this.#queues.listen((queue) => this.#offer(queue));
    void this.#watch();
    this.#announcer.announce();
    for (const queue of this.#queues.subscribers.all()) if (queue.waiting > 0) this.#offer(queue);
  }

  async publish(
    topic: string,
    body: string | string[],
    options: PublishOptions = {},
  ): Promise<PublishResult> {
    checkName('topic', topic);
    const bodies = (Array.isArray(body) ? body : [body]).map((text) => bytesOf(text, topic));
    const commit = this.#queues.publish(topic, bodies, {
      policy: checkPolicy(options.policy),
      maximumMessages: checkCount('maximumMessages', options.maximumMessages, DEFAULT_MESSAGES),
      maximumBytes: checkCount('maximumBytes', options.maximumBytes, DEFAULT_BYTES),
      retain: options.retain === true,
    });
    const result = await commit.committed;
    const { length } = bodies;
    options.onProgress?.({ phase: 'queued', done: length, total: length, unit: 'items' });
    await commit.durable;
    return result;
  }

  async *subscribe(
    topic: string,
    { subscriber, retained = true, signal }: SubscribeOptions,
  ): AsyncIterable<Message> {
    checkName('topic', topic);
    checkName('subscriber', subscriber);
    const { subscribers, roaming, self } = this.#queues;
    const { made, queue } = await this.#queues.change(() => {
      if (roaming.status(subscriber) && !roaming.inbox(subscriber)) {
        throw new RoamingNotHereError(subscriber, self.host);
      }
      const isNew = subscribers.put(self, { name: subscriber, topic, retained });
      if (isNew) subscribers.changed();
      return { made: isNew, queue: subscribers.find(self.peer, subscriber)! };
    }).committed;
    if (made) this.#announcer.announce();
    this.#open.get(subscriber)?.end();
    const subscription = new Subscription(this.#queues, queue);
    this.#open.set(subscriber, subscription);
    const all = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    try {
      yield* subscription.messages(all);
    } finally {
      if (this.#open.get(subscriber) === subscription) this.#open.delete(subscriber);
    }
  }

  async acknowledge(subscriber: string, sequences: number[]): Promise<void> {
    const { subscribers, messages, self } = this.#queues;
    const queue = await this.#queues.change(() => {
      const found = subscribers.find(self.peer, subscriber);
      if (found) messages.remove(found.id, sequences);
      return found;
    }).committed;
    this.#open.get(subscriber)?.acknowledged(sequences);
    if (queue) this.#queues.notify(queue);
  }

  async queues(): Promise<QueueStatus[]> {
    return this.#queues.subscribers.all().map((queue) => this.#queues.status(queue));
  }

  async forgetQueue({ topic, subscriber, to }: QueueChoice): Promise<QueueStatus[]> {
    if (topic === undefined && subscriber === undefined && to === undefined) {
      throw new InvalidArgumentError(
        'which queues to forget is not said',
        'Name a topic, a subscriber or a host.',
      );
    }
    const { subscribers, roaming, messages, self } = this.#queues;
    const forgotten = await this.#queues.change(() => {
      const all = subscribers
        .all()
        .filter((queue) => topic === undefined || queue.topic === topic)
        .filter((queue) => subscriber === undefined || queue.subscriber === subscriber)
        .filter(({ host, peer }) => to === undefined || host === to || peer.startsWith(to));
      const statuses = all.map((queue) => this.#queues.status(queue));
      for (const queue of all) {
        if (queue.epoch === null) subscribers.remove(queue);
        else roaming.forget(queue.subscriber);
      }
      if (topic !== undefined && subscriber === undefined && to === undefined) messages.forgetRetained(topic);
      if (all.some(({ peer, epoch }) => peer === self.peer || epoch !== null)) subscribers.changed();
      return statuses;
    }).committed;
    for (const status of forgotten) if (status.peerId === self.peer) this.#open.get(status.subscriber)?.end();
    this.#announcer.announce();
    return forgotten;
  }

  expectSubscriber(topic: string, subscriber: string): Promise<void> {
    return this.#roaming.expectSubscriber(topic, subscriber);
  }

  async roam(topic: string, options: RoamOptions): Promise<RoamingStatus> {
    return this.#roaming.roam(topic, options);
  }

  handOff(subscriber: string): Promise<RoamingStatus> {
    return this.#roaming.handOff(subscriber);
  }

  async takeOver(subscriber: string, options: TakeOverOptions): Promise<RoamingStatus> {
    return this.#roaming.takeOver(subscriber, options);
  }

  async takeBack(subscriber: string, options: { epoch: number }): Promise<RoamingStatus> {
    return this.#roaming.takeBack(subscriber, options);
  }

  releaseSubscriber(subscriber: string): Promise<void> {
    return this.#roaming.releaseSubscriber(subscriber);
  }

  roaming(): Promise<RoamingStatus[]> {
    return this.#roaming.roaming();
  }

  /** Ends the subscriptions and what is under way; what waits stays on the disk. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#announcer.close();
    this.#receiver.close();
    this.#roaming.close();
    await Promise.all([...this.#couriers.values()].map((courier) => courier.close()));
    await this.#queues.close();
  }

  #offer(queue: Queue): void {
    if (queue.peer === this.#queues.self.peer || !hasHost(queue) || this.#closing.signal.aborted) return;
    const courier = this.#couriers.get(queue.peer);
    if (courier) courier.offer(queue);
    else this.#couriers.set(queue.peer, new Courier(queue.peer, this.#mesh, this.#queues));
  }

  /** The subscribers of a host are others now: what is retained may wait for the new ones. */
  #deliverTo(peer: string): void {
    for (const queue of this.#queues.subscribers.ofPeer(peer)) if (queue.waiting > 0) this.#offer(queue);
  }

  async #watch(): Promise<void> {
    for await (const event of this.#mesh.watch({ signal: this.#closing.signal })) this.#heed(event);
  }

  #heed({ type, host: { peerId } }: MeshEvent): void {
    if (type === 'up') {
      this.#announcer.renew(peerId);
      this.#couriers.get(peerId)?.hurry();
    } else if (type === 'revoked') {
      // Where that fails, as on a full disk, the queues stay, and nothing is sent.
      this.#expel(peerId).catch(() => {});
    }
  }

  async #expel(peerId: string): Promise<void> {
    const courier = this.#couriers.get(peerId);
    this.#couriers.delete(peerId);
    await courier?.close();
    await this.#queues.change(() => {
      this.#queues.subscribers.forgetPeer(peerId);
      this.#queues.roaming.forgetPeer(peerId);
    }).committed;
  }
}

function bytesOf(text: string, topic: string): Buffer {
  if (typeof text !== 'string') throw new InvalidArgumentError(`a message of ${topic} is no text`);
  const body = Buffer.from(text);
  if (body.length > MAXIMUM_BODY) {
    throw new MessageTooLargeError(`the message of ${topic}`, body.length, MAXIMUM_BODY);
  }
  return body;
}

function checkName(what: string, name: string): void {
  if (isName(name)) return;
  throw new InvalidArgumentError(
    `"${name}" cannot be a ${what}`,
    'Use a text of at most 250 characters, without line breaks.',
  );
}

function checkPolicy(policy: PublishOptions['policy'] = 'drop-oldest') {
  if (POLICIES.includes(policy)) return policy;
  throw new InvalidArgumentError(`there is no policy ${policy}`, `Use one of ${POLICIES.join(', ')}.`);
}

function checkCount(what: string, value: number | undefined, standard: number): number {
  if (value === undefined) return standard;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError(`${what} must be a whole number above 0, not ${value}`);
}
