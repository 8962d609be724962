import { type Database, throwIfAborted } from '../../../base';
import type { Mesh, Messages } from '../../../mesh';
import type { OperatorPorts } from '../ports';
import type { InstanceRow } from '../runtime';
import { ContainerPort } from './container-port';
import { containerName, containerSpecOf } from './container-spec';
import { ContainerTable } from './container-table';
import type { HostContainers } from './containers';
import { OperatorContainerBusyError } from './errors';
import { containerIn, type PassedContainer } from './state';

const CALL = 'operators.container';
/** A container with much memory may have to go over a slow line, in ms. */
const PATIENCE = 30 * 60_000;
/** How long a program may take to end, in ms. */
const GRACE = 3_000;

export interface InstanceContainersParts {
  database: Database;
  mesh: Mesh;
  messages: Messages;
  ports: OperatorPorts;
  containers: HostContainers;
  /** Whether a host may place containers here; throws where it may not. */
  check(peerId: string): Promise<void>;
}

/**
 * The containers of this host's instances. Where an instance takes over from another one, its container comes along by
 * its name: from another host by a migration that the new host asks for.
 */
export class InstanceContainers {
  readonly #parts: InstanceContainersParts;
  readonly #table: ContainerTable;
  readonly #ports = new Map<string, ContainerPort>();

  constructor(parts: InstanceContainersParts) {
    this.#parts = parts;
    this.#table = new ContainerTable(parts.database);
    const { mesh, check } = parts;
    mesh.serve(CALL, async (container: string, { peerId }) => {
      await check(peerId);
      await this.#send(String(container), peerId);
    });
  }

  /** Opens the ports of instances that are on record. */
  resume(rows: readonly InstanceRow[]): void {
    for (const row of rows) this.#open(row);
  }

  /** Brings the image; the container is started with its first messages, for it may be one that comes from elsewhere. */
  async add(row: InstanceRow, signal?: AbortSignal): Promise<void> {
    const { containers, mesh, check } = this.#parts;
    if (row.owner !== mesh.peerId) await check(row.owner);
    await containers.prepare(containerSpecOf(row.spec, containerName(row.spec)), { signal });
    throwIfAborted(signal, `the start of ${row.spec.name}`);
    this.#open(row);
  }

  /** Ends an instance's container, and what it has kept. */
  async remove({ instance }: InstanceRow): Promise<void> {
    await this.#ports.get(instance)?.close();
    this.#ports.delete(instance);
    const known = this.#table.of(instance);
    if (known) await this.#end(known.container);
  }

  /** Makes what runs that which should run. */
  async mend(rows: readonly InstanceRow[]): Promise<void> {
    for (const { container, instance } of this.#table.all()) {
      if (!rows.some((row) => row.instance === instance)) await this.#end(container);
    }
    for (const port of this.#ports.values()) await port.mend().catch(() => {});
  }

  /** Brings the container that another instance has handed over. */
  async fetch(row: InstanceRow, state: string | null, signal: AbortSignal): Promise<void> {
    const passed = containerIn(state);
    if (passed) await this.#adopt(row, passed, signal);
  }

  /** Brings the container of an instance back that another host, or another instance, has asked for. */
  async takeBack(row: InstanceRow, signal: AbortSignal): Promise<void> {
    const container = this.#table.of(row.instance)?.container ?? this.#ports.get(row.instance)?.container;
    const known = container === undefined ? undefined : this.#table.find(container);
    if (!known || (known.instance === row.instance && known.sentTo === undefined)) return;
    const peerId = known.sentTo ?? this.#parts.mesh.peerId;
    await this.#adopt(row, { container: known.container, peerId, mark: known.mark }, signal);
  }

  /** Containers go on. */
  async close(): Promise<void> {
    await Promise.all([...this.#ports.values()].map((port) => port.close()));
  }

  async #adopt(
    row: InstanceRow,
    { container, peerId, mark }: PassedContainer,
    signal: AbortSignal,
  ): Promise<void> {
    const { mesh } = this.#parts;
    const { instance } = row;
    const own = this.#table.of(instance);
    // It has one of its own that runs, and takes only some partitions over.
    if (own && own.container !== container && (await this.#isHere(own.container))) return;
    if (own && own.container !== container) this.#table.remove(own.container);
    // Before it comes: also after a crash somebody cares for it then.
    this.#table.put({ container, instance, mark, sentTo: undefined });
    if (!(await this.#isHere(container)) && peerId !== mesh.peerId) {
      await mesh.call(peerId, CALL, container, { timeoutMs: PATIENCE, signal });
    }
    await this.#ports.get(instance)?.close();
    this.#open(row);
  }

  /** Another host takes an instance over: its container goes there. One that is here no more is there already, or lost. */
  async #send(container: string, peerId: string): Promise<void> {
    const known = this.#table.find(container);
    const port = known && this.#ports.get(known.instance);
    if (!known || port?.isWorking) throw new OperatorContainerBusyError(container);
    if (!(await this.#isHere(container))) return;
    this.#table.put({ ...known, sentTo: peerId });
    await this.#parts.containers.migrate(container, peerId);
  }

  #open(row: InstanceRow): void {
    const { instance, spec } = row;
    const { mesh, messages, ports, containers } = this.#parts;
    const known = this.#table.of(instance);
    const container = known?.container ?? containerName(spec);
    if (!known) this.#table.put({ container, instance, mark: undefined, sentTo: undefined });
    const port = this.#ports.get(instance);
    if (port?.container === container && !port.isClosed) return;
    const { peerId } = mesh;
    const parts = { spec, container, peerId, table: this.#table, containers, messages, ports };
    this.#ports.set(instance, new ContainerPort(parts));
  }

  async #end(container: string): Promise<void> {
    const engine = await this.#parts.containers.engine();
    if (await this.#isHere(container)) await engine.remove(container, { force: true, graceMs: GRACE });
    for (const { name } of await engine.volumes()) {
      if (name.startsWith(`${container}-`)) await engine.removeVolume(name);
    }
    this.#table.remove(container);
  }

  async #isHere(container: string): Promise<boolean> {
    const engine = await this.#parts.containers.engine();
    return (await engine.list()).some(({ name }) => name === container);
  }
}
