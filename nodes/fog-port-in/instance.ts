import type { Node, NodeAPI } from 'node-red';
import type { Host } from '../../lib/host';
import type { Message, Position } from '../../lib/mesh';
import {
  type KeyChoice,
  type PortAnswer,
  type PortCommand,
  type PortInSettings,
  type PortPartition,
  partitionOf,
} from '../../lib/placement';
import { decodeMessage } from '../fog-messages';
import { type Handed, InstanceState, Intake, isHanded, isMark, TabActivity } from '../fog-port';
import { Meter } from './meter';
import { type Ready, ROOM, Turns } from './turns';

export interface InstanceParts {
  RED: NodeAPI;
  node: Node;
  settings: PortInSettings;
  host(): Promise<Host>;
  onError(error: unknown): void;
}

/** Once so many are handed on, no more are until all of them are handled. */
const IN_HAND = 128;
/** How long what is under way at the end is waited for, in ms. */
const LAST_WORD = 4_000;

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
  readonly #turns: Turns;
  #inHand: Ready[] = [];
  #charged = 0;
  #turn: Promise<unknown> = Promise.resolve();
  /** Those who wait for room, or for rest, look again. */
  #changed: (() => void)[] = [];
  readonly #meter: Meter;

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    this.#meter = new Meter(parts.settings.instance);
    this.#turns = new Turns({
      cpu: parts.settings.cpu,
      deliver: (ready) => this.#deliver(ready),
      onRoom: () => this.#wake(),
    });
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
    this.#turns.hold();
    const intakes = [...this.#intakes.values()];
    await this.#stop(intakes);
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
        takeHanded: (taken) => this.#takeHanded(taken),
        onError: this.#parts.onError,
      });
      this.#intakes.set(subscriber, intake);
    }
  }

  async #pause(subscribers: readonly string[]): Promise<void> {
    const intakes = subscribers.flatMap((name) => this.#intakes.get(name) ?? []);
    await this.#atRest(async (stopping) => {
      await stopping;
      // It comes again later, to whoever holds it then.
      this.#turns.takeOut(({ intake }) => intake.isStopped);
      await Promise.all(intakes.map((intake) => intake.acknowledged()));
      for (const name of subscribers) this.#intakes.delete(name);
    }, intakes);
  }

  /** What was handed over inside this process and waits for its turn goes back at once, before more is sent. */
  async #stop(intakes: readonly Intake[]): Promise<void> {
    const back = this.#turns.takeOut(({ intake, message }) => intakes.includes(intake) && isHanded(message));
    const handed = Map.groupBy(back, ({ intake }) => intake);
    const stopping = intakes.map((intake) =>
      intake.stop((handed.get(intake) ?? []).map(({ message }) => message as Handed)),
    );
    await Promise.all(stopping);
  }

  get #hasRoom(): boolean {
    return this.#inHand.length < IN_HAND;
  }

  /** Waits for room. @returns false when the intake was stopped before */
  async #take(taken: { intake: Intake; message: Message }, signal: AbortSignal): Promise<boolean> {
    const content = await this.#read(taken.message);
    while (!signal.aborted) {
      if (this.#hasRoom && this.#turns.offer({ ...taken, content })) return true;
      await this.#change(signal);
    }
    return false;
  }

  #takeHanded(taken: { intake: Intake; message: Handed }): boolean {
    return this.#hasRoom && this.#turns.offer({ ...taken, content: taken.message.content });
  }

  /** What cannot be read is reported, and done with: undefined. */
  async #read(message: Message): Promise<Record<string, unknown> | undefined> {
    if (isMark(message.body)) return undefined;
    try {
      return await decodeMessage(message.body);
    } catch (error) {
      this.#parts.onError(error);
      return undefined;
    }
  }

  #deliver(ready: Ready): void {
    const { intake, message, content } = ready;
    this.#inHand.push(ready);
    if (!isHanded(message)) intake.handOn(message);
    this.#meter.count(isHanded(message) ? message.bytes : message.body.length);
    if (content) this.#parts.node.send(content as never);
    this.#activity.check();
  }

  /** Nothing is under way: all that was handed on has been handled. */
  #onIdle(): void {
    const handled = this.#inHand;
    this.#inHand = [];
    if (handled.length > 0) {
      const spent = this.#activity.handlerMs - this.#charged;
      this.#charged = this.#activity.handlerMs;
      for (const { intake, message } of handled) {
        if (isHanded(message)) message.done();
        else intake.handled(message.sequence);
      }
      this.#turns.charge(spent, handled.length);
    }
    this.#wake();
  }

  /** Does something while no message is under way in the tab. Intakes that are to end are stopped first. */
  async #atRest<T>(
    work: (stopping: Promise<void>) => Promise<T>,
    ending: readonly Intake[] = [],
  ): Promise<T> {
    this.#turns.hold();
    const stopping = this.#stop(ending);
    try {
      while (this.#inHand.length > 0 || !this.#activity.isIdle) await this.#change();
      return await work(stopping);
    } finally {
      this.#turns.release();
      this.#wake();
    }
  }

  #chosen(subscribers: readonly string[]): KeyChoice | undefined {
    if (this.#parts.settings.key === undefined) return undefined;
    const partitions = new Set(subscribers.map((name) => Number(name.slice(name.lastIndexOf('/') + 1))));
    return (key) => partitions.has(partitionOf(key));
  }

  #measure(): PortAnswer['measures'] {
    return this.#meter.measure(this.#activity.handlerMs, this.#turns.waiting + this.#atDoors());
  }

  #atDoors(): number {
    return [...this.#intakes.values()].reduce((sum, { door }) => sum + door.waiting, 0);
  }

  #wake(): void {
    const waiting = this.#changed.splice(0);
    for (const resolve of waiting) resolve();
    // What comes by way of the host must not wait for ever behind what is nearer.
    const most = waiting.length > 0 ? ROOM / 2 : ROOM;
    for (const { door } of this.#intakes.values()) if (door.waiting > 0) door.pump(most);
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
