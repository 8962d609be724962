import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerStatus } from '../container';
import { ContainerNotFoundError } from '../errors';
import type { ContainerRecord } from '../lifecycle';
import { untilLogged } from '../log/drain';
import { listSegments } from '../log/segments';
import { countConnections } from '../network/connections';
import { findNamespace } from '../network/namespace';
import { DEFAULT_GRACE_MS, startExisting, update } from '../operations';
import type { EngineParts } from '../parts';
import { freeze, isFrozen, processesOf, thaw } from '../runtime/freezer';
import { isAlive, signalProcess } from '../runtime/process-identity';
import { stopSignalNumber } from '../stop-signal';
import type { ContainerRow, Moving } from '../table';
import type { Volumes } from '../volumes';
import { takeAway } from './abandon';
import { CheckpointFailedError } from './errors';
import { makeImagesFolder, removeImagesFolder, residentBytes } from './images-folder';
import { removeMarker, writeMarker } from './marker';
import type { Departure, DumpOptions, DumpTimes, MovePurpose, MovingVolume } from './move';
import { checkpointFailure } from './reason';
import { volumesOf } from './volumes-of';
import { untilAlone, untilNoCheckpoint } from './work';

/** A dump of a gigabyte to a slow SD card takes most of this. */
export const DUMP_LIMIT_MS = 180_000;
/** A probe that was cut off leaves the container in milliseconds. */
const ALONE_LIMIT_MS = 2_000;
const LOOK_MS = 20;

/** What departures and arrivals work with beside the engine's parts. */
export interface MoveParts extends EngineParts {
  readonly volumes: Volumes;
  /** Fires when the engine closes. */
  readonly closing: AbortSignal;
  /** Runs the work alone among all that is done with the container, or with published ports. */
  exclusively<T>(name: string, publishes: boolean, work: () => Promise<T>): Promise<T>;
  status(row: ContainerRow): ContainerStatus;
  /** Called once the container is not on the move any more. */
  settled(id: string): void;
}

/** A container that leaves; its row says so. */
export class LeavingContainer implements Departure {
  readonly purpose: MovePurpose;
  readonly id: string;
  readonly name: string;
  readonly specDigest: string;
  readonly address: string | null;
  readonly upper: string;
  readonly volumes: readonly MovingVolume[];

  constructor(
    private readonly parts: MoveParts,
    row: ContainerRow,
    readonly record: ContainerRecord,
  ) {
    this.purpose = row.moving!.purpose;
    this.id = row.id;
    this.name = row.name;
    this.specDigest = row.specDigest;
    this.address = row.address;
    this.upper = parts.paths.of(row.id).upper;
    this.volumes = volumesOf(record).map((name) => ({ name, path: parts.volumes.pathOf(name) }));
  }

  async note(note: unknown): Promise<void> {
    await writeMarker(this.parts.paths.of(this.id), { role: 'leaving', purpose: this.purpose, note });
  }

  async imagesFolder(): Promise<string> {
    return makeImagesFolder(this.parts.paths.of(this.id), await residentBytes(await this.processes()));
  }

  logFiles(): string[] {
    return listSegments(this.parts.paths.of(this.id)).map(({ path }) => path);
  }

  get firstProcess(): number | undefined {
    return this.#row().process?.pid;
  }

  processes(): Promise<number[]> {
    return processesOf(this.id);
  }

  async freeze(): Promise<void> {
    await freeze(this.id, this.name);
  }

  async thaw(): Promise<void> {
    await thaw(this.id);
  }

  async dump(
    folder: string,
    { signal, timeoutMs = DUMP_LIMIT_MS, onStill }: DumpOptions = {},
  ): Promise<DumpTimes> {
    const { process } = this.#row();
    const work = join(this.parts.paths.of(this.id).path, 'checkpoint');
    try {
      if (!process || !(await isAlive(process))) throw new Error('it has ended');
      for (const path of [folder, work]) await mkdir(path, { recursive: true, mode: 0o700 });
      if (this.record.spec.network !== 'host') await findNamespace(this.id, process.pid);
      await untilAlone(this.id, process.pid, ALONE_LIMIT_MS);
      const start = performance.now();
      await this.freeze();
      await untilLogged(this.parts.paths.of(this.id));
      onStill?.();
      const frozen = performance.now();
      const call = { signal, timeoutMs };
      await this.parts.runtime.checkpoint(this.id, folder, work, call);
      if (!(await isFrozen(this.id)))
        throw new CheckpointFailedError(this.name, 'CRIU let it go on too early');
      const end = performance.now();
      return { frozenMs: end - start, dumpMs: end - frozen };
    } catch (error) {
      await untilNoCheckpoint(this.id, ALONE_LIMIT_MS);
      await this.thaw();
      throw await checkpointFailure(this.name, error, work);
    }
  }

  async stop(
    options: { signal?: AbortSignal | undefined; graceMs?: number | undefined } = {},
  ): Promise<void> {
    const { process, stopSignal } = this.#row();
    this.#mark({ stopped: true });
    await this.thaw();
    if (!process || !(await signalProcess(process, stopSignalNumber(stopSignal)))) return;
    const deadline = performance.now() + (options.graceMs ?? DEFAULT_GRACE_MS);
    const waits = () => performance.now() < deadline && !options.signal?.aborted;
    while (waits() && (await isAlive(process))) await delay(LOOK_MS);
    while (await signalProcess(process, 'SIGKILL')) await delay(LOOK_MS);
  }

  async hidePorts(): Promise<void> {
    await this.parts.lifecycle.hidePorts(this.id);
  }

  async connections(): Promise<number | null> {
    const { process, ports, care } = this.#row();
    const served = ports
      .filter(({ protocol }) => protocol !== 'udp')
      .map(({ containerPort }) => containerPort);
    if (care.service) served.push(care.service.port);
    if (!process || (served.length === 0 && this.record.spec.network === 'host')) return null;
    return countConnections(process.pid, served);
  }

  offer(): void {
    this.#mark({ decided: 'elsewhere' });
  }

  resume(): Promise<ContainerStatus> {
    const { parts, id, name } = this;
    return parts.exclusively(name, false, async () => {
      const row = this.#row();
      await untilNoCheckpoint(id, DUMP_LIMIT_MS, parts.closing);
      await this.thaw();
      const here = await parts.supervisor.observe(update(parts, { ...row, moving: null }));
      await removeMarker(parts.paths.of(id));
      await removeImagesFolder(parts.paths.of(id));
      parts.settled(id);
      if (!row.moving?.stopped || here.state === 'running') return parts.status(here);
      return parts.status(await startExisting(parts, here, {}));
    });
  }

  release(): Promise<void> {
    const { parts, id, name, purpose } = this;
    return parts.exclusively(name, false, async () => {
      const row = parts.table.byId(id);
      if (row) await takeAway(parts, row, { role: 'leaving', purpose });
    });
  }

  #row(): ContainerRow {
    const row = this.parts.table.byId(this.id);
    if (!row?.moving) throw new ContainerNotFoundError(this.name);
    return row;
  }

  #mark(change: Partial<Moving>): void {
    const row = this.#row();
    this.parts.table.put({ ...row, moving: { ...row.moving!, ...change } });
  }
}
