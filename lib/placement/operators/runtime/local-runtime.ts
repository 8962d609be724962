import { exists, type GaruaError, settleAll, throwIfAborted, toGaruaError } from '../../../base';
import type { Mesh, Messages, Roaming } from '../../../mesh';
import type { Resources } from '../../controller';
import type { InstanceContainers } from '../containers';
import type { PortMeasures, PortPartition } from '../ports';
import { DeviceMissingError, InstanceUnknownError } from './errors';
import { InstanceLeases } from './instance-leases';
import { InstanceNodes } from './instance-nodes';
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
  containers: InstanceContainers;
  /** What may be lent of this machine. */
  capacity: Resources;
  /** Tells of what failed in the background. */
  onError(error: GaruaError): void;
}

/** How long one that is only looked at may take, in ms. */
const MEASURE_LIMIT = 2_000;

/** The operators on this host. */
export class LocalRuntime implements OperatorRuntime {
  readonly #options: LocalRuntimeOptions;
  readonly #leases: InstanceLeases;
  readonly #nodes: InstanceNodes;
  readonly #closing = new AbortController();
  /** What is asked about an instance happens one after another, also when who asked has given up waiting. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #stop: () => void;

  constructor(options: LocalRuntimeOptions) {
    this.#options = options;
    const { ports, table, capacity } = options;
    this.#leases = new InstanceLeases(table, capacity);
    this.#nodes = new InstanceNodes(ports, this.#closing.signal);
    this.#stop = ports.onAttached((instance) => {
      if (table.find(instance)) this.#resumeInTurn(instance);
    });
    for (const { instance } of table.all()) {
      if (ports.isAttached(instance)) this.#resumeInTurn(instance);
    }
  }

  /** Gives up what is under way, which is asked for again; operators go on. */
  async close(): Promise<void> {
    this.#stop();
    this.#closing.abort();
    await Promise.all(this.#turns.values());
  }

  async look(owner: string, devices: string[], signal?: AbortSignal): Promise<RuntimeReport> {
    const { mesh, tabs, table, messages } = this.#options;
    this.#leases.renew();
    const [nodeRed, present, instances, roaming] = await Promise.all([
      tabs.types(this.#until(signal)).then(
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
    const { table, tabs, containers } = this.#options;
    if (spec.device !== undefined && !(await exists(spec.device)))
      throw new DeviceMissingError(spec.device, this.#options.mesh.name);
    this.#leases.take(spec);
    if (!table.find(spec.instance)) table.add(spec);
    try {
      await this.#expectReceivers(spec);
      const row = this.#row(spec.owner, spec.instance);
      await (isContainer(row) ? containers : tabs).add(row, this.#until(signal));
      await this.#nodes.come(spec.instance, signal);
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
    // What it was given before the host that gave it was lost for good.
    if (table.passing(instance, 'in', subscribers)) await this.#restore(instance, 'in', subscribers);
    table.hold(instance, subscribers);
    await this.#consume(instance, subscribers);
  }

  async #handOver(owner: string, instance: string, subscribers: Subscriber[]): Promise<Handover> {
    this.#row(owner, instance);
    const { messages, table } = this.#options;
    let passing = table.passing(instance, 'out', subscribers);
    if (!passing) {
      await this.#nodes.command(instance, { type: 'pause', partitions: subscribers });
      const { state = null } = await this.#nodes.command(instance, {
        type: 'snapshot',
        partitions: subscribers,
      });
      table.leave(instance, subscribers, state);
      passing = { state, restored: false };
    }
    await settleAll(subscribers.map((name) => messages.handOff(name)));
    return { state: passing.state };
  }

  async #takeOver(owner: string, instance: string, request: TakeOver): Promise<void> {
    const row = this.#row(owner, instance);
    const { messages, table, containers } = this.#options;
    const { from, subscribers, epoch, state } = request;
    const holds = new Set(table.holds(instance));
    if (!subscribers.every((name) => holds.has(name))) {
      table.arrive(instance, subscribers, state);
      // One that cannot come goes on where it is, with its messages.
      if (isContainer(row)) {
        const given = table.passing(instance, 'in', subscribers)!.state;
        await containers.fetch(row, given, this.#closing.signal);
      }
      await settleAll(
        subscribers.map((name) => messages.takeOver(name, { from, epoch, signal: this.#closing.signal })),
      );
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
    const row = this.#row(owner, instance);
    const { messages, table, containers } = this.#options;
    if (table.passing(instance, 'out', subscribers)) {
      if (isContainer(row)) await containers.takeBack(row, this.#closing.signal);
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
      await this.#nodes.command(instance, { type: 'forget', partitions: subscribers });
    table.settle(instance, 'out', subscribers);
  }

  async #remove(owner: string, instance: string): Promise<void> {
    const { table, tabs, containers, messages } = this.#options;
    const row = table.find(instance);
    if (row?.owner !== owner) return;
    const holds = table.holds(instance);
    await (isContainer(row) ? containers : tabs).remove(row, this.#closing.signal);
    for (const subscriber of holds) await messages.forgetQueue({ subscriber });
    table.remove(instance);
    this.#leases.giveBack(row.spec);
  }

  /** Makes the containers, and the tabs in Node-RED, those that are on record. */
  async mend(): Promise<void> {
    const { tabs, containers, table } = this.#options;
    await containers.mend(table.all().filter(isContainer));
    await tabs.mend(() => table.all().filter((row) => !isContainer(row)), this.#closing.signal);
  }

  #resumeInTurn(instance: string): void {
    this.#inTurn(instance, () => this.#resume(instance)).catch((error) =>
      this.#options.onError(toGaruaError(error, `the instance ${instance}`)),
    );
  }

  #inTurn<T>(instance: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(instance) ?? Promise.resolve()).then(() => {
      throwIfAborted(this.#closing.signal, `the instance ${instance}`);
      return work();
    });
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
    await this.#nodes.command(instance, { type: 'start', partitions });
  }

  /** Gives the nodes what has passed, once: what a call before this one may have given is forgotten first. */
  async #restore(instance: string, direction: 'in' | 'out', subscribers: Subscriber[]): Promise<void> {
    const { table } = this.#options;
    const passing = table.passing(instance, direction, subscribers)!;
    if (!passing.restored) {
      await this.#nodes.command(instance, { type: 'forget', partitions: subscribers });
      if (passing.state !== null)
        await this.#nodes.command(instance, { type: 'restore', state: passing.state });
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

  async #reportOf(instance: string): Promise<InstanceReport> {
    const { ports, table } = this.#options;
    const holds = table.holds(instance);
    const isAttached = ports.isAttached(instance);
    const measures = isAttached
      ? await this.#nodes.command(instance, { type: 'measure' }, MEASURE_LIMIT).then(
          (answer): PortMeasures | null => answer.measures ?? null,
          () => null,
        )
      : null;
    return { instance, holds, isAttached, measures };
  }

  #until(signal?: AbortSignal): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
  }

  /** @throws {InstanceUnknownError} also where it is another owner's */
  #row(owner: string, instance: string): InstanceRow {
    const row = this.#options.table.find(instance);
    if (row?.owner === owner) return row;
    throw new InstanceUnknownError(instance, this.#options.mesh.name);
  }
}

const isContainer = ({ spec }: InstanceRow) => spec.body.kind === 'container';
