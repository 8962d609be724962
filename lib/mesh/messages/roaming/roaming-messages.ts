import { InvalidArgumentError } from '../../../base';
import type { Mesh } from '../../mesh';
import { isName } from '../checks';
import type { Queues } from '../queues/queues';
import type { Queue } from '../queues/subscriber-table';
import { Handovers } from './handover';
import type { Roaming, RoamingStatus, RoamOptions, TakeOverOptions } from './roaming';

export interface RoamingParts {
  mesh: Mesh;
  queues: Queues;
  /** Tells the other hosts that something has changed. */
  announce(): void;
  /** Hands out no more messages of a subscriber. */
  endSubscription(subscriber: string): void;
}

/** The part of `FogMessages` that is about roaming subscribers. */
export class RoamingMessages implements Roaming {
  readonly #parts: RoamingParts;
  readonly #handovers: Handovers;
  /** One after another for each subscriber. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(parts: RoamingParts) {
    this.#parts = parts;
    this.#handovers = new Handovers(parts.mesh, parts.queues);
  }

  async expectSubscriber(topic: string, subscriber: string): Promise<void> {
    checkNames(topic, subscriber);
    const { queues } = this.#parts;
    const { committed, durable } = queues.change(() => queues.roaming.expect(topic, subscriber));
    await committed;
    await durable;
  }

  roam(topic: string, { subscriber, epoch }: RoamOptions): Promise<RoamingStatus> {
    checkNames(topic, subscriber);
    checkEpoch(epoch);
    return this.#change(subscriber, () => this.#parts.queues.roaming.hold(topic, subscriber, epoch));
  }

  handOff(subscriber: string): Promise<RoamingStatus> {
    return this.#change(subscriber, () => {
      this.#parts.queues.roaming.handOff(subscriber);
      this.#parts.endSubscription(subscriber);
      return undefined;
    });
  }

  takeOver(subscriber: string, { from, epoch, signal }: TakeOverOptions): Promise<RoamingStatus> {
    checkEpoch(epoch);
    return this.#inTurn(subscriber, async () => {
      const { mesh, queues } = this.#parts;
      if (queues.roaming.inbox(subscriber)?.epoch !== epoch) {
        const { self, peerId } = mesh.host(from);
        if (self) return this.#commit(subscriber, () => queues.roaming.takeBack(subscriber, epoch));
        this.#tell(await this.#handovers.fetch(peerId, subscriber, epoch, { signal }));
      }
      return queues.roaming.status(subscriber)!;
    });
  }

  takeBack(subscriber: string, { epoch }: { epoch: number }): Promise<RoamingStatus> {
    checkEpoch(epoch);
    return this.#change(subscriber, () => this.#parts.queues.roaming.takeBack(subscriber, epoch));
  }

  releaseSubscriber(subscriber: string): Promise<void> {
    return this.#inTurn(subscriber, async () => {
      const { queues } = this.#parts;
      await queues.change(() => queues.roaming.release(subscriber)).committed;
    });
  }

  async roaming(): Promise<RoamingStatus[]> {
    return this.#parts.queues.roaming.all();
  }

  close(): void {
    this.#handovers.close();
  }

  #change(subscriber: string, work: () => Queue | undefined): Promise<RoamingStatus> {
    return this.#inTurn(subscriber, () => this.#commit(subscriber, work));
  }

  /** What a host has handed off, or holds, must not be undone by a power cut once others act on it. */
  async #commit(subscriber: string, work: () => Queue | undefined): Promise<RoamingStatus> {
    const { queues } = this.#parts;
    const { committed, durable } = queues.change(() => {
      const queue = work();
      queues.subscribers.changed();
      return queue;
    });
    const queue = await committed;
    await durable;
    this.#tell(queue);
    return queues.roaming.status(subscriber)!;
  }

  #tell(queue: Queue | undefined): void {
    this.#parts.announce();
    if (queue) this.#parts.queues.notify(queue);
  }

  #inTurn<T>(subscriber: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(subscriber) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => {})
      .finally(() => {
        if (this.#turns.get(subscriber) === settled) this.#turns.delete(subscriber);
      });
    this.#turns.set(subscriber, settled);
    return turn;
  }
}

function checkNames(...names: string[]): void {
  const wrong = names.find((name) => !isName(name));
  if (wrong === undefined) return;
  throw new InvalidArgumentError(
    `"${wrong}" cannot name a topic or a subscriber`,
    'Use a text of at most 250 characters, without line breaks.',
  );
}

function checkEpoch(epoch: number): void {
  if (Number.isSafeInteger(epoch) && epoch > 0) return;
  throw new InvalidArgumentError(`an epoch must be a whole number above 0, not ${epoch}`);
}
