import type { Node, NodeAPI } from 'node-red';
import type { Host } from '../../lib/host';
import type { Position } from '../../lib/mesh';
import {
  type KeyChoice,
  type PortAnswer,
  type PortCommand,
  type PortInSettings,
  type PortMeasures,
  type PortPartition,
  partitionOf,
  TimeShare,
} from '../../lib/placement';
import { decodeMessage } from '../fog-messages';
import { InstanceState, Intake, TabActivity, type Taken, takeSent } from '../fog-port';

export interface InstanceParts {
  RED: NodeAPI;
  node: Node;
  settings: PortInSettings;
  host(): Promise<Host>;
  onError(error: unknown): void;
}

/** Messages that may wait for the instance's share of the core; more wait at the host. */
const ROOM = 64;
/** Once so many are handed on, no more are until all of them are handled. */
const IN_HAND = 128;
/** How long what is under way at the end is waited for, in ms. */
const LAST_WORD = 4_000;

/** A message that was read, and waits for its turn. */
interface Ready extends Taken {
  content: Record<string, unknown> | undefined;
}

/**
 * What runs in the tab of a `fog-port-in`: takes the messages of its partitions, hands them on as the instance's share
 * of the core allows, and acknowledges them when nothing is under way in the tab any more.
 */
export class OperatorInstance {
  readonly #parts: InstanceParts;
  readonly #activity: TabActivity;
  readonly #state: InstanceState;
  readonly #intakes = new Map<string, Intake>();
  /** By subscriber; they outlive a pause, after which the same queue may go on. */
  readonly #positions = new Map<string, Position>();
  #share: TimeShare<Ready>;
  #inHand: Ready[] = [];
  #charged = 0;
  #turn: Promise<unknown> = Promise.resolve();
  /** How many want the flow to be at rest: nothing is handed on meanwhile. */
  #holding = 0;
  /** Those who wait for room, or for rest, look again. */
  #changed: (() => void)[] = [];
  #measured = performance.now();
  #measuredMs = 0;
  #messages = 0;
  #bytes = 0;

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    this.#share = this.#newShare();
    this.#activity = new TabActivity(parts.RED, parts.node.z!, () => this.#onIdle());
    this.#state = new InstanceState(parts.RED, parts.node, parts.settings.origins);
  }

  /** @throws what the nodes of the instance throw */
  async obey(command: PortCommand): Promise<PortAnswer> {
    if (command.type === 'measure') return { measures: this.#measure() };
    // One that is asked again while it is still under way must not be done twice at once.
    const turn = this.#turn.then(() => this.#obey(command));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #obey(command: Exclude<PortCommand, { type: 'measure' }>): Promise<PortAnswer> {
    if (command.type === 'start') this.#start(command.partitions);
    else if (command.type === 'pause') await this.#pause(command.partitions);
    else if (command.type === 'snapshot') {
      return { state: await this.#atRest(() => this.#state.snapshot(this.#chosen(command.partitions))) };
    } else if (command.type === 'restore') await this.#atRest(() => this.#state.restore(command.state));
    else await this.#atRest(() => this.#state.forget(this.#chosen(command.partitions)));
    return {};
  }

  async close(): Promise<void> {
    this.#holding += 1;
    this.#share.close();
    const intakes = [...this.#intakes.values()];
    await Promise.all(intakes.map((intake) => intake.stop()));
    // What is under way is not to come again: its results are being sent.
    const patience = AbortSignal.timeout(LAST_WORD);
    while (this.#inHand.length > 0 && !patience.aborted) await this.#change(patience);
    this.#activity.close();
    await Promise.all(intakes.map((intake) => intake.end()));
  }

  #start(partitions: readonly PortPartition[]): void {
    for (const partition of partitions) {
      const { subscriber } = partition;
      if (this.#intakes.has(subscriber)) continue;
      const position = this.#positions.get(subscriber) ?? { queue: '', sequence: 0 };
      this.#positions.set(subscriber, position);
      const intake = new Intake(partition, position, {
        host: this.#parts.host,
        take: (taken, signal) => this.#take(taken, signal),
        onError: this.#parts.onError,
      });
      this.#intakes.set(subscriber, intake);
    }
  }

  async #pause(subscribers: readonly string[]): Promise<void> {
    const intakes = subscribers.flatMap((name) => this.#intakes.get(name) ?? []);
    const stopping = Promise.all(intakes.map((intake) => intake.stop()));
    await this.#atRest(async () => {
      await stopping;
      this.#dropWaiting();
      await Promise.all(intakes.map((intake) => intake.acknowledged()));
      for (const name of subscribers) this.#intakes.delete(name);
    });
  }

  /** Waits for room. @returns false when the intake was stopped before */
  async #take(taken: Taken, signal: AbortSignal): Promise<boolean> {
    const content = await this.#read(taken);
    while (!signal.aborted) {
      const isRoom = this.#holding === 0 && this.#inHand.length < IN_HAND;
      if (isRoom && this.#share.offer({ ...taken, content })) return true;
      await this.#change(signal);
    }
    return false;
  }

  /** What cannot be read is reported, and done with: undefined. */
  async #read({ message }: Taken): Promise<Record<string, unknown> | undefined> {
    try {
      return await decodeMessage(message.body);
    } catch (error) {
      this.#parts.onError(error);
      return undefined;
    }
  }

  #deliver(ready: Ready): void {
    const { intake, message, content } = ready;
    intake.handOn(message);
    this.#inHand.push(ready);
    this.#messages += 1;
    this.#bytes += message.body.length;
    if (content) this.#parts.node.send({ ...content } as never);
    this.#activity.check();
  }

  /** Nothing is under way: all that was handed on has been handled. */
  #onIdle(): void {
    const handled = this.#inHand;
    this.#inHand = [];
    if (handled.length > 0) {
      const spent = this.#activity.handlerMs - this.#charged;
      this.#charged = this.#activity.handlerMs;
      for (const { intake, message } of handled) intake.handled(message.sequence);
      this.#share.charge(spent, handled.length);
    }
    this.#wake();
  }

  /** Does something while no message is under way in the tab. */
  async #atRest<T>(work: () => Promise<T>): Promise<T> {
    this.#holding += 1;
    try {
      this.#setAside();
      while (this.#inHand.length > 0 || !this.#activity.isIdle) await this.#change();
      return await work();
    } finally {
      this.#holding -= 1;
      this.#resume();
    }
  }

  /** What waits for its turn waits on, without getting it. */
  readonly #aside: Ready[] = [];

  #setAside(): void {
    this.#aside.push(...this.#share.close());
    this.#share = this.#newShare();
  }

  /** What waits of intakes that are stopped comes again later, to whoever holds it then. */
  #dropWaiting(): void {
    const rest = this.#aside.filter(({ intake }) => !intake.isStopped);
    this.#aside.splice(0, this.#aside.length, ...rest);
  }

  #resume(): void {
    if (this.#holding > 0) return;
    for (const ready of this.#aside.splice(0)) this.#share.offer(ready);
    this.#wake();
  }

  #newShare(): TimeShare<Ready> {
    return new TimeShare<Ready>({
      share: this.#parts.settings.cpu,
      limit: ROOM,
      deliver: (ready) => this.#deliver(ready),
      onPressure: () => this.#wake(),
    });
  }

  #chosen(subscribers: readonly string[]): KeyChoice | undefined {
    if (this.#parts.settings.key === undefined) return undefined;
    const partitions = new Set(subscribers.map((name) => Number(name.slice(name.lastIndexOf('/') + 1))));
    return (key) => partitions.has(partitionOf(key));
  }

  #measure(): PortMeasures {
    const now = performance.now();
    const { handlerMs } = this.#activity;
    const measures: PortMeasures = {
      spanMs: now - this.#measured,
      handlerMs: handlerMs - this.#measuredMs,
      messagesIn: this.#messages,
      bytesIn: this.#bytes,
      out: takeSent(this.#parts.settings.instance),
      deferred: this.#share.waiting + this.#aside.length,
    };
    this.#measured = now;
    this.#measuredMs = handlerMs;
    this.#messages = 0;
    this.#bytes = 0;
    return measures;
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }

  #change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      signal?.addEventListener('abort', done, { once: true });
      this.#changed.push(done);
    });
  }
}
