import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { type LongCall, throwIfAborted } from '../../base';
import { firstRow } from '../deployment';
import { ContainerNotFoundError, ContainerNotRunningError } from '../errors';
import type { ContainerRecord } from '../lifecycle';
import { update } from '../operations';
import { completeSpec } from '../spec/complete';
import { specDigest } from '../spec-digest';
import type { ContainerRow, Moving } from '../table';
import { abandon, takeAway } from './abandon';
import { ArrivingContainer } from './arrival';
import { LeavingContainer, type MoveParts } from './departure';
import { ContainerExistsError, ContainerMovingError } from './errors';
import { makeImagesFolder } from './images-folder';
import { readMarker, writeMarker } from './marker';
import type { Arrival, ArrivalRequest, Departure, MovePurpose } from './move';
import { volumesOf } from './volumes-of';

/** Lets containers leave this host and arrive here. */
export class Moves {
  readonly #parts: MoveParts;
  /** Ids of those that this process moves; the others were left by an earlier one. */
  readonly #active = new Set<string>();

  constructor(parts: Omit<MoveParts, 'settled'>) {
    this.#parts = { ...parts, settled: (id) => this.#active.delete(id) };
  }

  /**
   * Begins to move a running container away. Nothing happens to it yet.
   *
   * @throws {ContainerNotFoundError} {ContainerNotRunningError} {ContainerMovingError}
   */
  depart(name: string, purpose: MovePurpose): Promise<Departure> {
    const { exclusively, lifecycle, supervisor, table } = this.#parts;
    return exclusively(name, false, async () => {
      const found = table.byName(name);
      const row = found && (await supervisor.observe(found));
      if (!row) throw new ContainerNotFoundError(name);
      if (row.moving) throw new ContainerMovingError(name, row.moving.role);
      if (row.state !== 'running') throw new ContainerNotRunningError(name, row.state);
      const record = await lifecycle.record(row.id);
      const moving: Moving = { role: 'leaving', purpose, decided: 'here' };
      this.#active.add(row.id);
      return new LeavingContainer(this.#parts, update(this.#parts, { ...row, moving }), record);
    });
  }

  /**
   * Makes everything for a container that comes: root, volumes, network, published ports. Leaves nothing behind when
   * it fails.
   *
   * @throws {ContainerExistsError} {VolumeExistsError} {PortTakenError}, and what the deploy of its spec throws
   */
  arrive(request: ArrivalRequest, { signal }: LongCall = {}): Promise<Arrival> {
    const { purpose } = request;
    // It comes from elsewhere.
    const record = { ...request.record, spec: completeSpec(request.record.spec) };
    const { name, ports } = record.spec;
    const { exclusively, table } = this.#parts;
    return exclusively(name, ports.length > 0, async () => {
      if (table.byName(name)) throw new ContainerExistsError(name);
      const id = randomBytes(8).toString('hex');
      const digest = specDigest(record.spec, record.image.digest);
      const moving: Moving = { role: 'arriving', purpose, decided: 'here', volumes: [] };
      if (request.address) moving.addressBefore = request.address;
      let row: ContainerRow = { ...firstRow(id, { ...record, specDigest: digest }), moving };
      this.#active.add(id);
      try {
        await this.#parts.claimPorts(name, ports);
        table.put(row);
        row = await this.#prepare(row, record, request.address ?? undefined);
        throwIfAborted(signal, `making ready for ${name}`);
        const images = await makeImagesFolder(this.#parts.paths.of(id), request.imageBytes ?? 0);
        return new ArrivingContainer(this.#parts, update(this.#parts, row), record, images);
      } catch (error) {
        // What cannot be taken away now is taken away by `recover`.
        await abandon(this.#parts, table.byId(id) ?? row).catch(() => this.#active.delete(id));
        throw error;
      }
    });
  }

  /** A container that left this host when an earlier process was killed, after it had been offered. */
  async departure(id: string): Promise<Departure | undefined> {
    const left = await this.#left(id, 'leaving');
    return left && new LeavingContainer(this.#parts, ...left);
  }

  /** The notes of containers that leave and whose fate is decided elsewhere; undefined for those without one. */
  async notes(): Promise<{ container: string; note: unknown }[]> {
    const { paths, table } = this.#parts;
    const leaving = table
      .all()
      .filter(
        ({ id, moving }) =>
          moving?.role === 'leaving' && moving.decided === 'elsewhere' && !this.#active.has(id),
      );
    return Promise.all(
      leaving.map(async ({ id }) => ({ container: id, note: (await readMarker(paths.of(id)))?.note })),
    );
  }

  /** A container that arrived here when an earlier process was killed, after it had been accepted. */
  async arrival(id: string): Promise<Arrival | undefined> {
    const left = await this.#left(id, 'arriving');
    return left && new ArrivingContainer(this.#parts, ...left, this.#parts.paths.of(id).path);
  }

  /**
   * Ends and removes a container that turned out to be another host's, with its volumes; harmless when there is none
   * of this id any more. What fails is done again by `recover`.
   */
  async discard(id: string): Promise<void> {
    const { exclusively, table } = this.#parts;
    const found = table.byId(id);
    if (!found) return;
    await exclusively(found.name, false, async () => {
      const row = table.byId(id);
      if (row) await takeAway(this.#parts, row, { role: 'arriving', purpose: 'migration' });
    });
  }

  /**
   * Brings back into order what an earlier process, or a failure, left on the move and nobody else has a say in. Can be
   * called again at any time.
   */
  async recover(): Promise<void> {
    const left = this.#parts.table
      .all()
      .filter(({ id, moving }) => moving?.decided === 'here' && !this.#active.has(id));
    for (const { id, name, moving } of left) {
      this.#active.add(id);
      const settled = () => this.#active.delete(id);
      if (moving!.role === 'arriving' || moving!.doomed) {
        await this.#parts.exclusively(name, false, () => this.#goes(id)).then(settled, settled);
        // A checkpoint that is being written may go on for long: nobody but this container has to wait for it.
      } else void this.#goesOn(id).then(settled, settled);
    }
  }

  async #goes(id: string): Promise<void> {
    const row = this.#parts.table.byId(id);
    if (row?.moving?.doomed) await takeAway(this.#parts, row, row.moving);
    else if (row?.moving) await abandon(this.#parts, row);
  }

  async #goesOn(id: string): Promise<void> {
    const record = await this.#parts.lifecycle.record(id);
    const row = this.#parts.table.byId(id);
    if (row?.moving) await new LeavingContainer(this.#parts, row, record).resume();
  }

  async #prepare(
    row: ContainerRow,
    record: ContainerRecord,
    address: string | undefined,
  ): Promise<ContainerRow> {
    const { lifecycle, table, volumes } = this.#parts;
    const { role, purpose } = row.moving!;
    const folder = this.#parts.paths.of(row.id);
    await mkdir(folder.path, { recursive: true, mode: 0o700 });
    await writeMarker(folder, { role, purpose });
    await lifecycle.keep(row.id, record);
    for (const name of volumesOf(record)) {
      await volumes.add(name);
      row.moving!.volumes!.push(name);
      table.put(row);
    }
    await lifecycle.prepare(row.id, record);
    const connected = { ...row, address: await lifecycle.connectAhead(row.id, record, address) };
    table.put(connected);
    return connected;
  }

  async #left(id: string, role: Moving['role']): Promise<[ContainerRow, ContainerRecord] | undefined> {
    const row = this.#parts.table.byId(id);
    const { moving } = row ?? {};
    if (!row || moving?.role !== role || moving.decided !== 'elsewhere' || this.#active.has(id))
      return undefined;
    return [row, await this.#parts.lifecycle.record(id)];
  }
}
