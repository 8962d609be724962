import { existsSync, readdirSync } from 'node:fs';
import type { DataDirectory, LongCall } from '../base';
import type { LayerMount, StoredImage } from '../image/image';
import { Assembly, type ContainerEngineOptions } from './assemble';
import type {
  ContainerSpec,
  ContainerStats,
  ContainerStatus,
  ExecOptions,
  ExecOutput,
  ExecPlan,
  LogLine,
  LogOptions,
  StopOptions,
} from './container';
import { deployContainer } from './deployment';
import {
  ContainerNotFoundError,
  ContainerNotRunningError,
  ContainerRunningError,
  invalidField,
} from './errors';
import { checkExec, execProcess } from './exec/process';
import { runInContainer } from './exec/run';
import type { ContainerRecord } from './lifecycle';
import { checkLogOptions, readLog } from './log/reader';
import { ContainerMovingError } from './move/errors';
import type { Moves } from './move/moves';
import { DEFAULT_GRACE_MS, startExisting, update, waitForEnd } from './operations';
import { type EngineParts, JOURNAL } from './parts';
import { ContainerPaths } from './paths';
import { Policy } from './policy';
import { waitUntilReady } from './probe/until-ready';
import { removeContainer, stopContainer } from './removal';
import { type ContainerAnswer, type ContainerRequest, requestContainer } from './request';
import { type ContainerInput, openStandardInput } from './runtime/standard-input';
import { completeSpec } from './spec/complete';
import { specDigest } from './spec-digest';
import { StatsSampler } from './stats/sampler';
import { type ContainerRow, ContainerTable } from './table';
import type { VolumeStatus } from './volumes';

export type { ContainerEngineOptions } from './assemble';

/** How a deploy waits. */
export interface EngineDeployOptions extends LongCall {
  /**
   * Wait until a new container is ready by its readiness probe, else by its liveness probe. Default false: it has
   * been started, and its status says `starting` until the probe has answered. When it does not become ready the
   * deploy rejects, and the container stays for its log to be read. A container that replaces a running one is
   * waited for in any case.
   */
  waitReady?: boolean | undefined;
}

/** What `deploy` did, and the container as it is now. */
export interface Deployed {
  outcome: 'started' | 'unchanged' | 'replaced';
  container: ContainerStatus;
}

/**
 * Runs containers with runc and conmon. They are no children of this process: they go on when it ends, and
 * the next engine on the same data directory finds them again. Operations on one container run one after
 * another.
 */
export class ContainerEngine {
  readonly #directory: DataDirectory;
  readonly #assembly: Assembly;
  readonly #parts: EngineParts;
  readonly #stats = new StatsSampler();

  private constructor({ dataDirectory }: ContainerEngineOptions, assembly: Assembly) {
    this.#directory = dataDirectory;
    this.#assembly = assembly;
    this.#parts = assembly.parts;
  }

  /** Finds the containers of the data directory again and repairs what a crash left half done. */
  static async open(options: ContainerEngineOptions): Promise<ContainerEngine> {
    return new ContainerEngine(options, await Assembly.open(options));
  }

  /** Whether the data directory has containers, or half of one after a crash: something to care for. */
  static hasContainers({ database, journal }: Pick<ContainerEngineOptions, 'database' | 'journal'>): boolean {
    if (new ContainerTable(database).all().length > 0) return true;
    return Object.values(JOURNAL).some(({ kind }) => journal.unfinished(kind).length > 0);
  }

  /**
   * Notes that the index was lost: the next engine finds the containers again by their folders. To be called in the
   * transaction that makes the new index.
   */
  static expectLost({
    dataDirectory,
    journal,
  }: Pick<ContainerEngineOptions, 'dataDirectory' | 'journal'>): void {
    const { containers } = new ContainerPaths(dataDirectory);
    if (!existsSync(containers) || readdirSync(containers).length === 0) return;
    const { kind, begin } = JOURNAL.lost;
    journal.begin(kind, '', begin, {});
  }

  /** Ends this process's part; containers go on running. */
  close(): Promise<void> {
    return this.#assembly.close();
  }

  /**
   * Checks a spec without doing anything: whether it makes sense, and whether this host's policy allows it as far
   * as that can be known before its image is here.
   *
   * @throws {InvalidArgumentError} {ContainerNameInvalidError} {PolicyRefusedError} {PolicyInvalidError}
   */
  async validate(spec: ContainerSpec): Promise<void> {
    const complete = completeSpec(spec);
    (await this.policy()).checkSpec(complete);
  }

  /** From now on restart policies and probes act, as with the option `supervise`. */
  supervise(): void {
    this.#assembly.supervise();
  }

  /** What this host's policy.json says now. @throws {PolicyInvalidError} */
  policy(): Promise<Policy> {
    return Policy.of(this.#directory);
  }

  /** Lets containers leave this host and arrive here. */
  get moves(): Moves {
    return this.#assembly.moves;
  }

  /** The named volumes of this host, which outlive containers and every prune. */
  volumes(): Promise<VolumeStatus[]> {
    return this.#assembly.volumes.list();
  }

  /**
   * Removes a volume and its files for good.
   *
   * @throws {VolumeNotFoundError} {VolumeInUseError} while a container mounts it, running or not
   */
  async removeVolume(name: string): Promise<void> {
    await this.#assembly.volumes.remove(name);
  }

  /**
   * Makes the container run as the spec says: leaves it alone when it does, starts it when it is stopped,
   * replaces it when the spec or the image's content differs. `layers`: bottom first.
   */
  async deploy(
    spec: ContainerSpec,
    image: StoredImage,
    layers: LayerMount[],
    options: EngineDeployOptions = {},
  ): Promise<Deployed> {
    const complete = completeSpec(spec);
    const digest = specDigest(complete, image.digest);
    const { atPorts } = this.#parts;
    return this.#assembly.exclusively(complete.name, false, async () => {
      const old = notMoving(await this.#find(complete.name));
      if (old?.specDigest === digest) {
        const runs = old.state === 'running';
        const start = () => startExisting(this.#parts, { ...old, attempts: 0 }, options);
        if (!runs) await atPorts(old.ports.length > 0, start);
        // It is what was asked for last: an earlier attempt to replace it is no news any more.
        const current = this.#parts.table.byId(old.id) ?? old;
        const row = current.rolledBack ? update(this.#parts, { ...current, rolledBack: null }) : current;
        return { outcome: runs ? 'unchanged' : 'started', container: this.#status(row) };
      }
      const request = { spec: complete, image, layers, specDigest: digest };
      const row = await deployContainer(this.#parts, request, old, options);
      if (options.waitReady && old?.state !== 'running' && (row.care.readiness ?? row.care.liveness)) {
        await waitUntilReady(this.#parts.paths, row, this.#until(options.signal));
        this.#parts.prober.known(row);
      }
      return { outcome: old ? 'replaced' : 'started', container: this.#status(row) };
    });
  }

  /** All containers by name. */
  async list(): Promise<ContainerStatus[]> {
    const { supervisor, table } = this.#parts;
    const rows = await Promise.all(table.all().map((row) => supervisor.observe(row)));
    return rows.map((row) => this.#status(row));
  }

  /** @throws {ContainerNotFoundError} */
  async get(name: string): Promise<ContainerStatus> {
    return this.#status(await this.#require(name));
  }

  /**
   * Starts a container that is not running; what it wrote before is still there. One that waits for its restart is
   * started at once.
   */
  start(name: string, options: LongCall = {}): Promise<ContainerStatus> {
    const publishes = (this.#parts.table.byName(name)?.ports.length ?? 0) > 0;
    return this.#assembly.exclusively(name, publishes, async () => {
      const row = notMoving(await this.#require(name));
      if (row.state === 'running') return this.#status(row);
      return this.#status(await startExisting(this.#parts, { ...row, attempts: 0 }, options));
    });
  }

  /** Stops a container: the image's stop signal (else SIGTERM), the grace, then SIGKILL. */
  async stop(name: string, options: StopOptions = {}): Promise<ContainerStatus> {
    const grace = graceOf(options);
    return this.#assembly.exclusively(name, false, async () => {
      const row = notMoving(await this.#require(name));
      return this.#status(await stopContainer(this.#parts, row, grace, options.signal));
    });
  }

  /**
   * Removes a container and what it wrote. With `force` a running one is stopped first.
   *
   * @throws {ContainerNotFoundError} {ContainerRunningError}
   */
  async remove(name: string, options: StopOptions & { force?: boolean } = {}): Promise<void> {
    const grace = graceOf(options);
    return this.#assembly.exclusively(name, false, async () => {
      const row = notMoving(await this.#require(name));
      if (row.state === 'running') {
        if (!options.force) throw new ContainerRunningError(name);
        await stopContainer(this.#parts, row, grace, options.signal);
      }
      await removeContainer(this.#parts, row);
    });
  }

  /**
   * The container's log. With `follow` it goes on, also over restarts and replacements, until the container
   * is removed or the signal fires; then the lines that are there still come.
   *
   * @throws {ContainerNotFoundError} {InvalidArgumentError}
   */
  async *logs(name: string, options: LogOptions = {}): AsyncGenerator<LogLine> {
    checkLogOptions(options);
    let { id } = await this.#require(name);
    // What follows ends with the engine; what reads to the end may finish.
    const signal = options.follow ? this.#until(options.signal) : options.signal;
    let remaining: LogOptions = { ...options, signal };
    for (;;) {
      yield* readLog(this.#parts.paths.of(id), remaining);
      if (!options.follow || signal?.aborted) return;
      const next = this.#parts.table.byName(name);
      if (!next || next.id === id) return;
      id = next.id;
      remaining = { ...options, signal, tail: undefined };
    }
  }

  /**
   * Runs one more command in a running container, within its limits. `whileMoving` is for those who move it; others
   * have to wait until that is over. With `binary` each character of texts and `input` stands for one byte. Texts come
   * as the command writes them, last its status, once nobody holds its output any more. When the signal fires, or the
   * reader stops, the command and all that it has started are killed, and no status comes.
   *
   * @throws {ContainerNotFoundError} {ContainerNotRunningError} {InvalidArgumentError} {UserNotFoundError}
   *   {CommandNotFoundError} {CommandNotExecutableError} {ExecRefusedError}
   */
  async *exec(
    name: string,
    command: string[],
    options: ExecOptions & { whileMoving?: boolean; binary?: boolean } = {},
  ): AsyncGenerator<ExecOutput> {
    const { id, runtimeRoot, process } = await this.#execPlan(name, command, options);
    const { image } = await this.#require(name);
    const place = { id, name, image, folder: this.#parts.paths.of(id), runtimeRoot };
    const encoding = options.binary ? 'latin1' : 'utf8';
    yield* runInContainer(place, process, options.input, encoding, this.#until(options.signal));
  }

  /** Asks a program in the container by HTTP. @throws {ContainerNotFoundError} {InvalidArgumentError} */
  async request(name: string, request: ContainerRequest): Promise<ContainerAnswer> {
    const { care, address, ports } = await this.#require(name);
    return requestContainer({ network: care.network, address, ports }, request);
  }

  /** What it takes to run the command on the caller's own terminal. Throws what `exec` throws before it runs. */
  async execPlan(name: string, command: string[], options: ExecOptions = {}): Promise<ExecPlan> {
    const { process, ...plan } = await this.#execPlan(name, command, options);
    return { ...plan, process: { ...process } };
  }

  /**
   * The standard input of a running container whose spec has `stdin`.
   *
   * @throws {ContainerNotFoundError} {ContainerNotRunningError} {ContainerNoInputError}
   */
  async input(name: string): Promise<ContainerInput> {
    const row = await this.#require(name);
    if (row.state !== 'running' || !row.process) throw new ContainerNotRunningError(name, row.state);
    return openStandardInput(name, row.process.pid);
  }

  /** What each running container uses, by name. */
  async stats(options: LongCall = {}): Promise<ContainerStats[]> {
    const { lifecycle, paths, table } = this.#parts;
    const running = table.all().filter(({ state, process }) => state === 'running' && process);
    const subjects = await Promise.all(
      running.map(async ({ id, name, process }) => {
        const record = await lifecycle.record(id).catch(() => undefined);
        const sharesNetwork = record?.spec.network === 'host';
        return { id, name, pid: process!.pid, sharesNetwork, folder: paths.of(id) };
      }),
    );
    return this.#stats.read(subjects, options.signal);
  }

  /** The labels of each container that can be read, by name. */
  async labels(): Promise<Map<string, Record<string, string>>> {
    const { lifecycle, table } = this.#parts;
    const found = await Promise.all(
      table.all().map(async ({ id, name }) => {
        const record = await lifecycle.record(id).catch(() => undefined);
        return [name, record?.spec.labels ?? {}] as const;
      }),
    );
    return new Map(found);
  }

  /** Each change of a container's state from now on, until the signal fires. */
  watch(options: { signal?: AbortSignal | undefined } = {}): AsyncIterable<ContainerStatus> {
    const rows = this.#parts.changes.subscribe(options.signal);
    const status = (row: ContainerRow) => this.#status(row);
    return (async function* () {
      for await (const row of rows) yield status(row);
    })();
  }

  /**
   * The container's status once it is not running any more. While this engine supervises, one that waits for its
   * restart has not ended.
   */
  async wait(name: string, options: LongCall = {}): Promise<ContainerStatus> {
    const row = await this.#require(name);
    const { supervises } = this.#assembly;
    await waitForEnd(this.#parts, row, Number.POSITIVE_INFINITY, this.#until(options.signal), supervises);
    const last = this.#parts.table.byId(row.id);
    // A container that was replaced or removed meanwhile has ended too.
    const removed = { ...row, state: 'stopped', reason: 'removed' } as const;
    return this.#status(last ? await this.#parts.supervisor.observe(last) : removed);
  }

  /** What a container was made from; its variables may hold secrets. @throws {ContainerNotFoundError} */
  async record(name: string): Promise<ContainerRecord> {
    return this.#parts.lifecycle.record((await this.#require(name)).id);
  }

  /** Manifest digests of the images that containers were made from; their layers must stay. */
  async usedImages(): Promise<string[]> {
    return [...new Set(this.#parts.table.all().map((row) => row.imageDigest))];
  }

  async #execPlan(name: string, command: string[], options: ExecOptions & { whileMoving?: boolean }) {
    checkExec(command, options);
    const found = await this.#require(name);
    const row = options.whileMoving ? found : notMoving(found);
    if (row.state !== 'running') throw new ContainerNotRunningError(name, row.state);
    const { paths } = this.#parts;
    const process = await execProcess(paths.of(row.id), row.image, command, options);
    return { id: row.id, runtimeRoot: paths.runtime, process };
  }

  /** Fires with the caller's signal, and at the latest when the engine closes. */
  #until(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#assembly.closing]) : this.#assembly.closing;
  }

  async #find(name: string): Promise<ContainerRow | undefined> {
    const row = this.#parts.table.byName(name);
    return row && this.#parts.supervisor.observe(row);
  }

  async #require(name: string): Promise<ContainerRow> {
    const row = await this.#find(name);
    if (!row) throw new ContainerNotFoundError(name);
    return row;
  }

  #status(row: ContainerRow): ContainerStatus {
    return this.#assembly.status(row);
  }
}

/** @throws {ContainerMovingError} when only its departure or arrival may touch it now */
function notMoving<T extends ContainerRow | undefined>(row: T): T {
  if (row?.moving) throw new ContainerMovingError(row.name, row.moving.role);
  return row;
}

function graceOf({ graceMs = DEFAULT_GRACE_MS }: StopOptions): number {
  if (!Number.isFinite(graceMs) || graceMs < 0)
    throw invalidField('graceMs', `${graceMs} is not a time in ms`);
  return graceMs;
}
