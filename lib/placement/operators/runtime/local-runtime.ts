import { setTimeout as delay } from 'node:timers/promises';
import { exists, GaruaError, settleAll, throwIfAborted, toGaruaError } from '../../../base';
import type { Mesh, Messages, Roaming } from '../../../mesh';
import { LeaseBook, type Resources } from '../../controller';
import type { PortMeasures, PortOrder, PortPartition } from '../ports';
import { DeviceMissingError, InstanceSilentError, InstanceUnknownError, OperatorKindError } from './errors';
import type { InstanceRow, InstanceTable } from './instance-table';
import type { PortCommands } from './port-commands';
import type {
  Handover,
  InstanceReport,
  InstanceSpec,
  OperatorRuntime,
  RuntimeReport,
  Subscriber,
  TakeOver,
} from './runtime';
import type { Tabs } from './tabs';

export interface LocalRuntimeOptions {
  mesh: Pick<Mesh, 'peerId' | 'name' | 'hosts'>;
  messages: Roaming & Pick<Messages, 'forgetQueue'>;
  table: InstanceTable;
  ports: PortCommands;
  tabs: Tabs;
  /** What may be lent of this machine. */
  capacity: Resources;
  /** Tells of what failed in the background. */
  onError(error: GaruaError): void;
}

/** How long the nodes of a new tab may take to come, in ms: a small machine loads them slowly. */
const ATTACH_LIMIT = 30_000;
/** How long nodes may take to come back after this host, or their Node-RED, has started, in ms. */
const RETURN_LIMIT = 8_000;
/** How long an instance may take to finish what it has begun, and to answer, in ms. */
const COMMAND_LIMIT = 15_000;
/** How long one that is only looked at may take, in ms. */
const MEASURE_LIMIT = 2_000;
/** Without a renewal; each look of this host at itself renews them. */
const LEASE_SECONDS = 300;

/** The operators on this host. */
export class LocalRuntime implements OperatorRuntime {
  readonly #options: LocalRuntimeOptions;
  readonly #leases: LeaseBook;
  /** What is asked about an instance happens one after another, also when who asked has given up waiting. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #stop: () => void;

  constructor(options: LocalRuntimeOptions) {
    this.#options = options;
    this.#leases = new LeaseBook({ ...options.capacity, now: () => performance.now() });
    this.#renewLeases();
    const { ports, table } = options;
    this.#stop = ports.onAttached((instance) => {
      if (table.find(instance)) this.#resumeInTurn(instance);
    });
    for (const { instance } of table.all()) {
      if (ports.isAttached(instance)) this.#resumeInTurn(instance);
    }
  }

  close(): void {
    this.#stop();
  }

  async look(owner: string, devices: string[], signal?: AbortSignal): Promise<RuntimeReport> {
    const { mesh, tabs, table, messages } = this.#options;
    this.#renewLeases();
    const [nodeRed, present, instances, roaming] = await Promise.all([
      tabs.types(signal).then(
        (types) => ({ types }),
        (error) => ({ error: toGaruaError(error, 'asking Node-RED').toJSON() }),
      ),
      Promise.all(devices.map(async (device) => ((await exists(device)) ? [device] : []))),
      Promise.all(table.all().flatMap((row) => (row.owner === owner ? [this.#reportOf(row.instance)] : []))),
      messages.roaming(),
    ]);
    const waiting = roaming.filter(({ topic }) => topic.startsWith(`operators/${owner}/`));
    return {
      ...{ free: this.#leases.free, nodeRed, devices: present.flat(), instances },
      roundTrips: Object.fromEntries(
        mesh.hosts().flatMap(({ peerId, rttMs, self }) => (rttMs === null || self ? [] : [[peerId, rttMs]])),
      ),
      waiting: Object.fromEntries(waiting.map((one) => [one.topic, one.waiting])),
    };
  }

  start(spec: InstanceSpec, signal?: AbortSignal): Promise<void> {
    return this.#inTurn(spec.instance, () => this.#start(spec, signal));
  }

  hold(owner: string, instance: string, subscribers: Subscriber[], epoch: number): Promise<void> {
    return this.#inTurn(instance, () => this.#hold(owner, instance, subscribers, epoch));
  }

  handOver(owner: string, instance: string, subscribers: Subscriber[]): Promise<Handover> {
    return this.#inTurn(instance, () => this.#handOver(owner, instance, subscribers));
  }

  takeOver(owner: string, instance: string, request: TakeOver): Promise<void> {
    return this.#inTurn(instance, () => this.#takeOver(owner, instance, request));
  }

  renounce(_owner: string, instance: string, subscribers: Subscriber[]): Promise<boolean> {
    return this.#inTurn(instance, () => this.#renounce(instance, subscribers));
  }

  takeBack(owner: string, instance: string, subscribers: Subscriber[], epoch: number): Promise<void> {
    return this.#inTurn(instance, () => this.#takeBack(owner, instance, subscribers, epoch));
  }

  release(owner: string, instance: string, subscribers: Subscriber[]): Promise<void> {
    return this.#inTurn(instance, () => this.#release(owner, instance, subscribers));
  }

  remove(owner: string, instance: string): Promise<void> {
    return this.#inTurn(instance, () => this.#remove(owner, instance));
  }

  async #start(spec: InstanceSpec, signal?: AbortSignal): Promise<void> {
    const { table, tabs } = this.#options;
    if (spec.body.kind !== 'subflow') throw new OperatorKindError(spec.name, spec.body.kind);
    if (spec.device !== undefined && !(await exists(spec.device)))
      throw new DeviceMissingError(spec.device, this.#options.mesh.name);
    this.#lease(spec);
    if (!table.find(spec.instance)) table.add(spec);
    try {
      await this.#expectReceivers(spec);
      await tabs.add(this.#row(spec.owner, spec.instance), signal);
      await this.#attached(spec.instance, ATTACH_LIMIT, signal);
    } catch (error) {
      // What cannot be removed now is unknown to the table, and removed by `mend`.
      await this.#remove(spec.owner, spec.instance).catch(() => {});
      throw error;
    }
  }

  async #hold(owner: string, instance: string, subscribers: Subscriber[], epoch: number): Promise<void> {
    this.#row(owner, instance);
    const { messages, table } = this.#options;
    await settleAll(subscribers.map((name) => messages.roam(name, { subscriber: name, epoch })));
    table.hold(instance, subscribers);
    await this.#consume(instance, subscribers);
  }

  async #handOver(owner: string, instance: string, subscribers: Subscriber[]): Promise<Handover> {
    this.#row(owner, instance);
    const { messages, table } = this.#options;
    let passing = table.passing(instance, 'out', subscribers);
    if (!passing) {
      await this.#command(instance, { type: 'pause', partitions: subscribers });
      const { state = null } = await this.#command(instance, { type: 'snapshot', partitions: subscribers });
      table.leave(instance, subscribers, state);
      passing = { state, restored: false };
    }
    await settleAll(subscribers.map((name) => messages.handOff(name)));
    return { state: passing.state };
  }

  async #takeOver(owner: string, instance: string, request: TakeOver): Promise<void> {
    this.#row(owner, instance);
    const { messages, table } = this.#options;
    const { from, subscribers, epoch, state } = request;
    const holds = new Set(table.holds(instance));
    if (!subscribers.every((name) => holds.has(name))) {
      table.arrive(instance, subscribers, state);
      await settleAll(subscribers.map((name) => messages.takeOver(name, { from, epoch })));
      await this.#restore(instance, 'in', subscribers);
    }
    await this.#consume(instance, subscribers);
  }

  async #renounce(instance: string, subscribers: Subscriber[]): Promise<boolean> {
    const { mesh, messages, table } = this.#options;
    const roaming = await messages.roaming();
    const isHere = roaming.some(
      ({ subscriber, state, peerId }) =>
        state === 'here' && peerId === mesh.peerId && subscribers.includes(subscriber),
    );
    // The state that came along is out of date once the other one goes on.
    if (!isHere) table.settle(instance, 'in', subscribers);
    return !isHere;
  }

  async #takeBack(owner: string, instance: string, subscribers: Subscriber[], epoch: number): Promise<void> {
    this.#row(owner, instance);
    const { messages, table } = this.#options;
    if (table.passing(instance, 'out', subscribers)) {
      await settleAll(subscribers.map((name) => messages.takeBack(name, { epoch })));
      await this.#restore(instance, 'out', subscribers);
    }
    await this.#consume(instance, subscribers);
  }

  async #release(owner: string, instance: string, subscribers: Subscriber[]): Promise<void> {
    const { messages, table } = this.#options;
    await settleAll(subscribers.map((name) => messages.releaseSubscriber(name)));
    const row = table.find(instance);
    if (row?.owner !== owner) return;
    if (table.passing(instance, 'out', subscribers) && table.holds(instance).length > 0)
      await this.#command(instance, { type: 'forget', partitions: subscribers });
    table.settle(instance, 'out', subscribers);
  }

  async #remove(owner: string, instance: string): Promise<void> {
    const { table, tabs, messages } = this.#options;
    const row = table.find(instance);
    if (row?.owner !== owner) return;
    const holds = table.holds(instance);
    await tabs.remove(row);
    for (const subscriber of holds) await messages.forgetQueue({ subscriber });
    table.remove(instance);
    for (const lease of this.#leases.leases) if (lease.purpose === instance) this.#leases.release(lease.id);
  }

  /** Makes the tabs in Node-RED those that are on record. */
  async mend(): Promise<void> {
    const { tabs, table } = this.#options;
    await tabs.mend(() => table.all());
  }

  #resumeInTurn(instance: string): void {
    this.#inTurn(instance, () => this.#resume(instance)).catch((error) =>
      this.#options.onError(toGaruaError(error, `the instance ${instance}`)),
    );
  }

  #inTurn<T>(instance: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(instance) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => {})
      .finally(() => {
        if (this.#turns.get(instance) === settled) this.#turns.delete(instance);
      });
    this.#turns.set(instance, settled);
    return turn;
  }

  /** Its nodes have come, perhaps again: they take the messages that are its. */
  async #resume(instance: string): Promise<void> {
    await this.#consume(instance, this.#options.table.holds(instance));
  }

  async #consume(instance: string, subscribers: Subscriber[]): Promise<void> {
    if (subscribers.length === 0) return;
    const partitions = subscribers.map((name): PortPartition => ({ subscriber: name, topic: name }));
    await this.#command(instance, { type: 'start', partitions });
  }

  /** Gives the nodes what has passed, once: what a call before this one may have given is forgotten first. */
  async #restore(instance: string, direction: 'in' | 'out', subscribers: Subscriber[]): Promise<void> {
    const { table } = this.#options;
    const passing = table.passing(instance, direction, subscribers)!;
    if (!passing.restored) {
      await this.#command(instance, { type: 'forget', partitions: subscribers });
      if (passing.state !== null) await this.#command(instance, { type: 'restore', state: passing.state });
      table.restored(instance, subscribers);
    }
    table.arrived(instance, direction, subscribers);
  }

  async #expectReceivers({ targets }: InstanceSpec): Promise<void> {
    const { messages } = this.#options;
    for (const { topic, isOperator, key } of targets.flat()) {
      if (!isOperator || key !== undefined) continue;
      await messages.expectSubscriber(topic, topic);
    }
  }

  async #attached(instance: string, limit: number, signal?: AbortSignal): Promise<void> {
    const { ports } = this.#options;
    const end = performance.now() + limit;
    while (!ports.isAttached(instance)) {
      throwIfAborted(signal, `the start of ${instance}`);
      if (performance.now() > end) throw new InstanceSilentError(instance);
      await delay(20);
    }
  }

  async #command(instance: string, order: PortOrder, limit = COMMAND_LIMIT) {
    await this.#attached(instance, Math.min(limit, RETURN_LIMIT));
    try {
      return await this.#options.ports.command(instance, order, { signal: AbortSignal.timeout(limit) });
    } catch (cause) {
      if (cause instanceof GaruaError && cause.code !== 'ERR_ABORTED') throw cause;
      throw new InstanceSilentError(instance, { cause });
    }
  }

  async #reportOf(instance: string): Promise<InstanceReport> {
    const { ports, table } = this.#options;
    const holds = table.holds(instance);
    const isAttached = ports.isAttached(instance);
    const measures = isAttached
      ? await this.#command(instance, { type: 'measure' }, MEASURE_LIMIT).then(
          (answer): PortMeasures | null => answer.measures ?? null,
          () => null,
        )
      : null;
    return { instance, holds, isAttached, measures };
  }

  #lease({ owner, instance, cpu, memory }: InstanceSpec): void {
    this.#leases.request({ owner, purpose: instance, cpu, memory, seconds: LEASE_SECONDS });
  }

  /** What runs has its share, whether its owner is there or not. */
  #renewLeases(): void {
    for (const { spec } of this.#options.table.all()) {
      try {
        this.#lease(spec);
      } catch {
        // The machine has less than it had; what runs goes on.
      }
    }
  }

  /** @throws {InstanceUnknownError} also where it is another owner's */
  #row(owner: string, instance: string): InstanceRow {
    const row = this.#options.table.find(instance);
    if (row?.owner === owner) return row;
    throw new InstanceUnknownError(instance, this.#options.mesh.name);
  }
}
