import { type Database, type DataDirectory, type Journal, toGaruaError } from '../base';
import { Changes } from './changes';
import type { ContainerStatus, PublishedPort } from './container';
import { KeyedLock } from './keyed-lock';
import { Lifecycle } from './lifecycle';
import { Moves } from './move/moves';
import { checkPortsFree } from './network/ports';
import { startExisting } from './operations';
import type { EngineParts } from './parts';
import { ContainerPaths } from './paths';
import { Prober } from './probe/prober';
import { repair, wakeAfterBoot } from './repair';
import { Restarter } from './restart/restarter';
import { endUnhealthy } from './restart/unhealthy';
import { Runtime } from './runtime/runtime';
import { Supervisor } from './supervisor';
import { type ContainerRow, ContainerTable, toStatus } from './table';
import { Volumes } from './volumes';

/** No container can have this name: those who publish ports take turns under it. */
const PORTS = ':ports';

export interface ContainerEngineOptions {
  dataDirectory: DataDirectory;
  database: Database;
  journal: Journal;
  /** What containers report as their host. */
  hostName: string;
  /**
   * Whether restart policies and probes act while this engine is open. Default false: a short command must not begin
   * what it does not stay for.
   */
  supervise?: boolean | undefined;
  /** Has whatever else holds ports in this process let go of them: a container is to have them. */
  yieldPorts?: ((ports: Required<PublishedPort>[]) => void) | undefined;
}

/** Everything an engine works with, wired together. */
export class Assembly {
  readonly parts: EngineParts;
  readonly volumes: Volumes;
  readonly moves: Moves;
  #supervises = false;
  readonly #lock = new KeyedLock();
  readonly #closing = new AbortController();
  readonly #hostName: string;
  readonly #restarter: Restarter;

  private constructor(options: ContainerEngineOptions) {
    const { dataDirectory, database, journal } = options;
    this.#hostName = options.hostName;
    const paths = new ContainerPaths(dataDirectory);
    const table = new ContainerTable(database);
    const changes = new Changes<ContainerRow>();
    const runtime = new Runtime(paths);
    this.volumes = new Volumes(dataDirectory, paths);
    const lifecycle = new Lifecycle(dataDirectory, paths, runtime, this.volumes);
    const supervisor = new Supervisor(paths, table, changes, ({ id, name }) => {
      // Its turn comes after whatever is being done with the container, which may have started it again.
      const release = () => this.#lock.run(name, async () => isIdle(table.byId(id)) && lifecycle.release(id));
      // What cannot be freed now is freed by the next start or open.
      release().catch(() => {});
    });
    const prober = new Prober(paths, {
      onHealth: (row) => changes.emit(table.byId(row.id) ?? row),
      onUnhealthy: (row, why) => void this.#endUnhealthy(row, why).catch(() => {}),
    });
    const atPorts = <T>(publishes: boolean, work: () => Promise<T>) =>
      publishes ? this.#lock.run(PORTS, work) : work();
    const claimPorts = (name: string, ports: Required<PublishedPort>[]) => {
      options.yieldPorts?.(ports);
      return checkPortsFree(name, ports, table.all());
    };
    this.parts = {
      ...{ paths, table, journal, changes, runtime, lifecycle, supervisor, prober },
      ...{ atPorts, claimPorts },
    };
    this.#restarter = new Restarter(table, changes, (row) => this.#restart(row));
    this.moves = new Moves({
      ...this.parts,
      volumes: this.volumes,
      closing: this.closing,
      exclusively: (name, publishes, work) => this.exclusively(name, publishes, work),
      status: (row) => this.status(row),
    });
  }

  /** Finds the containers of the data directory again and repairs what a crash left half done. */
  static async open(options: ContainerEngineOptions): Promise<Assembly> {
    const assembly = new Assembly(options);
    const { paths, runtime, table, supervisor } = assembly.parts;
    await paths.create();
    await assembly.volumes.tidy();
    await repair(assembly.parts);
    await assembly.moves.recover();
    for (const { id, state } of table.all()) if (state === 'running') runtime.keepLog(id);
    supervisor.start();
    if (options.supervise) assembly.supervise();
    return assembly;
  }

  /** Whether restart policies and probes act. */
  get supervises(): boolean {
    return this.#supervises;
  }

  /** From now on they do, and containers that a reboot ended come back by their policy. */
  supervise(): void {
    if (this.#supervises || this.closing.aborted) return;
    this.#supervises = true;
    const { changes, prober, table } = this.parts;
    wakeAfterBoot(this.parts);
    const running = table.all().filter(({ state }) => state === 'running');
    prober.start(changes, running);
    this.#restarter.start();
  }

  /** Fires when the engine closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** What the outside sees of a row. */
  status(row: ContainerRow): ContainerStatus {
    return toStatus(row, this.#hostName, this.parts.prober.health(row));
  }

  /** Operations on one container run one after another; those that publish ports also, whatever they belong to. */
  async exclusively<T>(name: string, publishes: boolean, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#lock.run(name, () => this.parts.atPorts(publishes, work));
    } catch (error) {
      throw toGaruaError(error, `the work on container ${name}`);
    }
  }

  async close(): Promise<void> {
    const { supervisor, prober, runtime, changes, paths } = this.parts;
    this.#closing.abort();
    this.#restarter.stop();
    prober.stop();
    supervisor.stop();
    runtime.close();
    changes.close();
    await this.#lock.idle();
    await paths.tidy();
  }

  async #restart({ id, name, ports }: ContainerRow): Promise<void> {
    await this.exclusively(name, ports.length > 0, async () => {
      const row = this.parts.table.byId(id);
      // Meanwhile somebody may have started, stopped or removed it.
      if (row?.state !== 'restarting' || this.closing.aborted) return;
      await startExisting(this.parts, row, { signal: this.closing, byPolicy: true });
    });
  }

  async #endUnhealthy({ id, name, process }: ContainerRow, why: string): Promise<void> {
    await this.exclusively(name, false, async () => {
      const row = this.parts.table.byId(id);
      if (row?.state !== 'running' || row.moving || row.process?.startTicks !== process?.startTicks) return;
      if ((row.care.restart?.policy ?? 'no') === 'no') return;
      await endUnhealthy(this.parts, row, why, this.closing);
    });
  }
}

function isIdle(row: ContainerRow | undefined): boolean {
  return row !== undefined && row.state !== 'running' && row.state !== 'created';
}
