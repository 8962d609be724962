import type { Database, DataDirectory, Journal, LongCall } from '../base';
import type { LayerMount, StoredImage } from '../image/image';
import { Changes } from './changes';
import type {
  ContainerSpec,
  ContainerStatus,
  LogLine,
  LogOptions,
  PublishedPort,
  StopOptions,
} from './container';
import { deployContainer, removeContainer, stopContainer } from './deployment';
import { ContainerNotFoundError, ContainerRunningError, invalidField } from './errors';
import { KeyedLock } from './keyed-lock';
import { Lifecycle } from './lifecycle';
import { checkLogOptions, readLog } from './log/reader';
import { DEFAULT_GRACE_MS, startExisting, waitForEnd } from './operations';
import type { EngineParts } from './parts';
import { ContainerPaths } from './paths';
import { repair } from './repair';
import { Runtime } from './runtime/runtime';
import { completeSpec } from './spec/complete';
import { specDigest } from './spec-digest';
import { Supervisor } from './supervisor';
import { type ContainerRow, ContainerTable, toStatus } from './table';

/** No container can have this name. */
const PORTS = ':ports';

export interface ContainerEngineOptions {
  dataDirectory: DataDirectory;
  database: Database;
  journal: Journal;
  /** What containers report as their host. */
  hostName: string;
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
  readonly #hostName: string;
  readonly #parts: EngineParts;
  readonly #lock: KeyedLock;
  readonly #closing = new AbortController();

  private constructor(hostName: string, parts: EngineParts, lock: KeyedLock) {
    this.#hostName = hostName;
    this.#parts = parts;
    this.#lock = lock;
  }

  /** Finds the containers of the data directory again and repairs what a crash left half done. */
  static async open(options: ContainerEngineOptions): Promise<ContainerEngine> {
    const paths = new ContainerPaths(options.dataDirectory);
    await paths.create();
    const table = new ContainerTable(options.database);
    const changes = new Changes<ContainerRow>();
    const runtime = new Runtime(paths);
    const lifecycle = new Lifecycle(paths, runtime);
    const lock = new KeyedLock();
    const supervisor = new Supervisor(paths, table, changes, ({ id, name }) => {
      // Its turn comes after whatever is being done with the container, which may have started it again.
      const release = () => lock.run(name, async () => isIdle(table.byId(id)) && lifecycle.release(id));
      // What cannot be freed now is freed by the next start or open.
      release().catch(() => {});
    });
    const { journal } = options;
    const parts: EngineParts = { paths, table, journal, changes, runtime, lifecycle, supervisor };
    await repair(parts);
    supervisor.start();
    return new ContainerEngine(options.hostName, parts, lock);
  }

  /** Ends this process's part; containers go on running. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#parts.supervisor.stop();
    this.#parts.changes.close();
    await this.#lock.idle();
    await this.#parts.paths.tidy();
  }

  /**
   * Checks a spec without doing anything.
   *
   * @throws {InvalidArgumentError} {ContainerNameInvalidError}
   */
  validate(spec: ContainerSpec): void {
    completeSpec(spec);
  }

  /**
   * Makes the container run as the spec says: leaves it alone when it does, starts it when it is stopped,
   * replaces it when the spec or the image's content differs. `layers`: bottom first.
   */
  async deploy(
    spec: ContainerSpec,
    image: StoredImage,
    layers: LayerMount[],
    options: LongCall = {},
  ): Promise<Deployed> {
    const complete = completeSpec(spec);
    const digest = specDigest(complete, image.digest);
    return this.#exclusively(complete.name, complete.ports, async () => {
      const old = await this.#find(complete.name);
      if (old?.specDigest === digest) {
        const runs = old.state === 'running';
        const row = runs ? old : await startExisting(this.#parts, old, options);
        return { outcome: runs ? 'unchanged' : 'started', container: this.#status(row) };
      }
      const request = { spec: complete, image, layers, specDigest: digest };
      const row = await deployContainer(this.#parts, request, old, options);
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

  /** Starts a container that is not running; what it wrote before is still there. */
  start(name: string, options: LongCall = {}): Promise<ContainerStatus> {
    return this.#exclusively(name, this.#parts.table.byName(name)?.ports ?? [], async () => {
      const row = await this.#require(name);
      return this.#status(row.state === 'running' ? row : await startExisting(this.#parts, row, options));
    });
  }

  /** Stops a container: the image's stop signal (else SIGTERM), the grace, then SIGKILL. */
  async stop(name: string, options: StopOptions = {}): Promise<ContainerStatus> {
    const grace = graceOf(options);
    return this.#lock.run(name, async () => {
      const row = await this.#require(name);
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
    return this.#lock.run(name, async () => {
      const row = await this.#require(name);
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

  /** Each change of a container's state from now on, until the signal fires. */
  watch(options: { signal?: AbortSignal | undefined } = {}): AsyncIterable<ContainerStatus> {
    const rows = this.#parts.changes.subscribe(options.signal);
    const status = (row: ContainerRow) => this.#status(row);
    return (async function* () {
      for await (const row of rows) yield status(row);
    })();
  }

  /** The container's status once it is not running any more. */
  async wait(name: string, options: LongCall = {}): Promise<ContainerStatus> {
    const row = await this.#require(name);
    await waitForEnd(this.#parts, row, Number.POSITIVE_INFINITY, this.#until(options.signal));
    // A container that was replaced or removed meanwhile has ended too.
    return this.#status(this.#parts.table.byId(row.id) ?? { ...row, state: 'stopped', reason: 'removed' });
  }

  /** Manifest digests of the images that containers were made from; their layers must stay. */
  async usedImages(): Promise<string[]> {
    return [...new Set(this.#parts.table.all().map((row) => row.imageDigest))];
  }

  /** Those who publish ports also take turns with each other, so that no two find the same port free. */
  #exclusively<T>(name: string, ports: PublishedPort[], work: () => Promise<T>): Promise<T> {
    return this.#lock.run(name, ports.length > 0 ? () => this.#lock.run(PORTS, work) : work);
  }

  /** Fires with the caller's signal, and at the latest when the engine closes. */
  #until(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
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
    return toStatus(row, this.#hostName);
  }
}

function isIdle(row: ContainerRow | undefined): boolean {
  return row !== undefined && row.state !== 'running' && row.state !== 'created';
}

function graceOf({ graceMs = DEFAULT_GRACE_MS }: StopOptions): number {
  if (!Number.isFinite(graceMs) || graceMs < 0)
    throw invalidField('graceMs', `${graceMs} is not a time in ms`);
  return graceMs;
}
