import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFileSystem } from '../../base';
import type { ContainerStatus } from '../container';
import { ContainerNotFoundError, ContainerNotRunningError } from '../errors';
import type { ContainerRecord } from '../lifecycle';
import { nextSegment } from '../log/segments';
import { runningRow, update } from '../operations';
import { waitUntilReady } from '../probe/until-ready';
import { isAlive, type ProcessIdentity } from '../runtime/process-identity';
import type { ContainerRow, Moving } from '../table';
import { abandon } from './abandon';
import type { MoveParts } from './departure';
import { removeImagesFolder } from './images-folder';
import { removeMarker } from './marker';
import type { Arrival, MovePurpose, MovingVolume, TimedCall } from './move';
import { restoreFailure } from './reason';

/** A restore of a gigabyte from a slow SD card takes most of this. */
const RESTORE_LIMIT_MS = 180_000;

/** A container that arrives; its row says so. */
export class ArrivingContainer implements Arrival {
  readonly purpose: MovePurpose;
  readonly id: string;
  readonly name: string;
  readonly upper: string;
  readonly volumes: readonly MovingVolume[];
  readonly log: string;
  readonly address: string | null;
  readonly addressOutcome: Arrival['addressOutcome'];

  constructor(
    private readonly parts: MoveParts,
    row: ContainerRow,
    private readonly record: ContainerRecord,
    readonly images: string,
  ) {
    const { purpose, volumes = [], addressBefore } = row.moving!;
    const folder = parts.paths.of(row.id);
    this.purpose = purpose;
    this.id = row.id;
    this.name = row.name;
    this.upper = folder.upper;
    this.volumes = volumes.map((name) => ({ name, path: parts.volumes.pathOf(name) }));
    this.log = nextSegment(folder);
    this.address = row.address;
    this.addressOutcome = row.address === null ? 'none' : row.address === addressBefore ? 'kept' : 'changed';
  }

  async restore({ signal, timeoutMs = RESTORE_LIMIT_MS }: TimedCall = {}): Promise<void> {
    const { parts, id, name, record } = this;
    const { path, config } = parts.paths.of(id);
    try {
      await parts.lifecycle.remount(id, record);
      if (this.addressOutcome === 'changed') await closeConnections(path, config);
      const stdin = record.spec.stdin === true;
      this.#runs(await parts.runtime.restore(id, this.images, { stdin, signal, timeoutMs }));
    } catch (error) {
      throw await restoreFailure(name, error, path);
    }
    await parts.lifecycle.joined(id, this.#row().process!);
  }

  async startFresh(): Promise<void> {
    const { parts, id, record } = this;
    await parts.lifecycle.remount(id, record);
    const process = await parts.lifecycle.create(id, record);
    await parts.lifecycle.joined(id, process);
    await parts.lifecycle.start(id, record);
    this.#runs(process);
  }

  async probe(signal?: AbortSignal): Promise<void> {
    const row = this.#row();
    if (row.care.readiness ?? row.care.liveness) return waitUntilReady(this.parts.paths, row, signal);
    if (!row.process || !(await isAlive(row.process)))
      throw new ContainerNotRunningError(this.name, 'stopped');
  }

  accept(): void {
    this.#put({ moving: { ...this.#row().moving!, decided: 'elsewhere' } });
  }

  async sync(): Promise<void> {
    const folders = [this.parts.paths.of(this.id).path, ...this.volumes.map(({ path }) => path)];
    const devices = new Map<number, string>();
    for (const folder of folders) devices.set((await stat(folder)).dev, folder);
    for (const folder of devices.values()) await syncFileSystem(folder);
  }

  commit(): Promise<ContainerStatus> {
    const { parts, id, name } = this;
    return parts.exclusively(name, false, async () => {
      // First of all: from now on it is this host's, also for one that loses its index.
      await removeMarker(parts.paths.of(id));
      const row = await parts.supervisor.observe(update(parts, { ...this.#row(), moving: null }));
      await removeImagesFolder(parts.paths.of(id));
      parts.settled(id);
      return parts.status(row);
    });
  }

  abort(): Promise<void> {
    const { parts, id, name } = this;
    return parts.exclusively(name, false, async () => {
      if (parts.table.byId(id)) await abandon(parts, this.#row());
    });
  }

  #runs(process: ProcessIdentity): void {
    this.#put(runningRow(this.#row(), process, Date.now()));
  }

  #put(change: Partial<ContainerRow> & { moving?: Moving | null }): void {
    this.parts.table.put({ ...this.#row(), ...change });
  }

  #row(): ContainerRow {
    const row = this.parts.table.byId(this.id);
    if (!row?.moving) throw new ContainerNotFoundError(this.name);
    return row;
  }
}

/**
 * Under another address no connection can go on: those that were open are closed for the program, which sees it as
 * if the other side had gone (criu(8), --tcp-close). runc reads CRIU's options from a file that the bundle names.
 */
async function closeConnections(folder: string, bundle: string): Promise<void> {
  const options = join(folder, 'criu.conf');
  await writeFile(options, 'tcp-close\n', { mode: 0o600 });
  const config = JSON.parse(await readFile(bundle, 'utf8')) as { annotations: Record<string, string> };
  config.annotations['org.criu.config'] = options;
  await writeFile(bundle, JSON.stringify(config), { mode: 0o600 });
}
