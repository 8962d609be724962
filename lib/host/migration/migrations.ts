import { randomUUID } from 'node:crypto';
import { type Database, InvalidArgumentError, type Journal, throwIfAborted } from '../../base';
import { ContainerEngine, type Departure } from '../../container';
import type { FogMesh, MeshHost } from '../../mesh';
import type { Checkpointer } from '../../migration/checkpoint';
import {
  MIGRATION_MODES,
  MigrationImpossibleError,
  MigrationLedger,
  type MigrationMode,
  MigrationRunningError,
  MigrationSource,
  MigrationTarget,
  MigrationToSelfError,
  moveContainer,
  NothingToResolveError,
  notBegun,
  serveMigrations,
  sourceOver,
  TooManyMigrationsError,
  targetOver,
} from '../../migration/protocol';
import type { HostFog } from '../fog';
import type { HostObjects } from '../objects';
import type { PeerGate } from '../peers';
import { Arriving, type ArrivingParts, LIMIT } from './arriving';
import { downtimeAfter, estimate, standstillLimit } from './estimate';
import { Leaving, type LeavingParts } from './leaving';
import type { MigrateOptions, MigrateOutcome } from './migration';
import { objectsOf, sendObjectsAlong, serveObjectsAlong } from './objects-along';
import { answerPreflight } from './preflight';
import { exportState, importState } from './state-hooks';
import { surveyMove } from './survey';

/** In elastic mode, for connections that are open. */
const DRAIN_MS = 10_000;
/** How often hosts that could not be reached are asked again, in milliseconds; at once when they come back. */
const AGAIN_MS = 30_000;

export interface MigrationParts extends LeavingParts, ArrivingParts {
  database: Database;
  journal: Journal;
  objects: Pick<HostObjects, 'get'>;
  fog: HostFog;
  peers: PeerGate;
  checkpointer: Checkpointer;
}

/** Moves containers to other hosts of the fog, and takes them in. */
export class HostMigrations {
  readonly #parts: MigrationParts;
  readonly #ledger: MigrationLedger;
  readonly #source: MigrationSource;
  readonly #target: MigrationTarget;
  readonly #leavings: Leaving;
  readonly #arrivals: Arriving;
  readonly #leaving = new Set<string>();
  readonly #closing = new AbortController();
  /** Whether it is known what an index that was lost has left. */
  #hasLooked = false;
  #mesh: FogMesh | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: MigrationParts) {
    this.#parts = parts;
    this.#ledger = new MigrationLedger(parts.database);
    this.#leavings = new Leaving(parts);
    this.#source = new MigrationSource({
      ledger: this.#ledger,
      departure: async (container) => (await parts.engine()).moves.departure(container),
      release: (departure, ticket) => this.#leavings.release(departure, ticket),
      discard: async (container) => (await parts.engine()).moves.discard(container),
      link: (peerId) => targetOver(this.#requireMesh(), peerId),
      nameOf: (peerId) => this.#mesh?.hosts().find((host) => host.peerId === peerId)?.name ?? peerId,
    });
    this.#target = new MigrationTarget({
      ledger: this.#ledger,
      arrive: (request) => this.#arrivals.arrive(request),
      arrival: async (container) => (await parts.engine()).moves.arrival(container),
      discard: async (container) => (await parts.engine()).moves.discard(container),
      restore: (arrival) => parts.checkpointer.restore(arrival),
      importState: async ({ record }, state) =>
        importState(await parts.engine(), record.spec, Buffer.from(state, 'base64')),
      link: (peerId) => sourceOver(this.#requireMesh(), peerId),
    });
    this.#arrivals = new Arriving(parts, this.#target, () => this.#requireMesh().name);
  }

  /** Serves the hosts of the fog, and settles with them what is left. */
  attach(mesh: FogMesh): void {
    if (this.#closing.signal.aborted) return;
    this.#mesh = mesh;
    const { objects, peers } = this.#parts;
    serveObjectsAlong(mesh, objects, (peerId) => peers.check('containers', peerId));
    serveMigrations(mesh, {
      source: this.#source,
      target: this.#target,
      check: (peerId) => this.#parts.peers.check('containers', peerId),
      preflight: async (request) => {
        const { directory, checkpointer, engine } = this.#parts;
        const fence = this.#ledger.fence(request.name);
        const promised = this.#target.promisedMemory;
        return answerPreflight({ directory, checkpointer, engine: await engine(), fence, promised }, request);
      },
      fetch: (image) => this.#arrivals.fetch(image),
      pageLimit: () => this.#arrivals.pageLimit,
    });
    void this.#recover();
    void this.#watch(mesh);
    this.#timer = setInterval(() => void this.#recover(), AGAIN_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#closing.abort();
  }

  /**
   * Moves a running container to another host. A failure before it runs there leaves it here, and the result says
   * why. Until it stands still the signal gives the migration up.
   *
   * @throws {ContainerNotFoundError} {ContainerNotRunningError} {HostNotFoundError} {MigrationToSelfError}
   *   {MigrationRunningError} {TooManyMigrationsError} {MigrationImpossibleError} {MigrationInDoubtError}
   */
  async migrate(name: string, options: MigrateOptions): Promise<MigrateOutcome> {
    const { mode = 'live' } = options;
    if (!MIGRATION_MODES.includes(mode)) {
      throw new InvalidArgumentError(`there is no mode ${mode}`, MIGRATION_MODES.join(', '));
    }
    const { engine, fog } = this.#parts;
    await (await engine()).get(name);
    const mesh = await fog.meeting();
    const host = mesh.host(options.to);
    if (host.self) throw new MigrationToSelfError(name, host.name);
    if (this.#leaving.has(name)) throw new MigrationRunningError(name);
    if (this.#leaving.size >= LIMIT) throw new TooManyMigrationsError(mesh.name, LIMIT);
    this.#leaving.add(name);
    try {
      return await this.#migrate(name, host, { ...options, mode });
    } finally {
      this.#leaving.delete(name);
    }
  }

  /** A person says which copy counts, where the other host cannot be asked. @throws {NothingToResolveError} */
  async resolve(name: string, where: 'here' | 'there'): Promise<void> {
    await this.#parts.engine();
    await this.#parts.fog.mesh();
    try {
      await this.#source.resolve(name, where);
    } catch (error) {
      if (!(error instanceof NothingToResolveError)) throw error;
      await this.#target.recovery.resolve(name, where);
    }
  }

  async #migrate(
    name: string,
    host: MeshHost,
    options: MigrateOptions & { mode: MigrationMode },
  ): Promise<MigrateOutcome> {
    const { mode, signal, onProgress, drainMs = DRAIN_MS, graceMs, dryRun } = options;
    const engine = await this.#parts.engine();
    const mesh = this.#requireMesh();
    const link = targetOver(mesh, host.peerId);
    const call = { signal, onProgress };
    onProgress?.({ phase: 'checking', done: 0, total: 1, unit: 'steps' });
    const { survey, record } = await this.#look(name, async (departure) => ({
      survey: await surveyMove(this.#parts, departure, mode, (request) =>
        link.preflight(request, { signal }),
      ),
      record: departure.record,
    }));
    throwIfAborted(signal, `the migration of ${name}`);
    const { problems, start, memory, files } = survey;
    const fresh = start === 'fresh';
    const expected = estimate({ mode, fresh, memory, files, throughput: host.throughput });
    if (dryRun) return { possible: problems.length === 0, problems, mode, fresh, estimate: expected };
    if (problems.length > 0) throw new MigrationImpossibleError(name, host.name, problems);
    // What takes long is there before its restart policy and its probes have to rest.
    const objects = await sendObjectsAlong(mesh, host.peerId, objectsOf(record.spec.labels), call);
    const { ref, digest } = record.image;
    try {
      await link.fetch({ ref, digest }, call);
    } catch (error) {
      throwIfAborted(signal, `the migration of ${name}`);
      return notBegun(error, name);
    }
    const departure = await engine.moves.depart(name, 'migration');
    const fence = Math.max(survey.fence, this.#ledger.fence(name)) + 1;
    const ticket = { id: randomUUID(), name, mode, from: mesh.peerId, to: host.peerId, fence };
    this.#leavings.begin(ticket, options.forwardMs);
    try {
      const result = await moveContainer({
        ...{ ticket, departure, link, start, memory, graceMs, signal, onProgress },
        source: this.#source,
        downtimeOf: (rounds) => downtimeAfter(memory, rounds),
        standstillMs: options.standstillMs ?? standstillLimit(expected, graceMs),
        checkpointer: this.#parts.checkpointer,
        exportState: () => exportState(engine, departure.record.spec),
        drain: () => this.#leavings.drain(departure, ticket, drainMs),
      });
      const forwards = result.outcome === 'moved' ? this.#parts.forwards.list(name) : [];
      return {
        ...result,
        ...(objects.length > 0 && { objects }),
        ...(forwards.length > 0 && { forwards }),
      };
    } finally {
      this.#leavings.end(ticket);
    }
  }

  /** Looks at a container while nobody else may touch it. */
  async #look<T>(name: string, look: (departure: Departure) => Promise<T>): Promise<T> {
    const departure = await (await this.#parts.engine()).moves.depart(name, 'migration');
    try {
      return await look(departure);
    } finally {
      await departure.resume();
    }
  }

  async #recover(): Promise<void> {
    const { recovery } = this.#target;
    const steps = [
      async () => (await this.#parts.engine()).moves.recover(),
      () => recovery.recover(),
      () => this.#source.recover(),
      () => recovery.settle(),
    ];
    try {
      if (!this.#hasLooked && ContainerEngine.hasContainers(this.#parts)) await this.#adopt();
      this.#hasLooked = true;
      if (!this.#arrivals.haveBegun && !this.#ledger.unsettled) return;
      for (const step of steps) await step().catch(() => {});
    } catch {
      // What cannot be settled now, or read, is tried again.
    }
  }

  /** What an index that was lost has said of containers that were leaving is kept beside them, too. */
  async #adopt(): Promise<void> {
    for (const { container, note } of await (await this.#parts.engine()).moves.notes()) {
      if (note !== undefined) this.#source.adopt(note, container);
    }
  }

  async #watch(mesh: FogMesh): Promise<void> {
    for await (const { type } of mesh.watch({ signal: this.#closing.signal })) {
      if (type === 'up') await this.#recover();
    }
  }

  #requireMesh(): FogMesh {
    if (!this.#mesh) throw new Error('the mesh is not open');
    return this.#mesh;
  }
}
