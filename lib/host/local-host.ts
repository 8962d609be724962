import { hostname } from 'node:os';
import {
  type Database,
  DataDirectory,
  InvalidArgumentError,
  Journal,
  type LongCall,
  openDatabase,
  throwIfAborted,
  VERSION,
} from '../base';
import {
  ContainerEngine,
  type ContainerSpec,
  type ContainerStatus,
  type LogLine,
  type LogOptions,
  type StopOptions,
} from '../container';
import { ImageStore, type PullOptions, type PullResult, type StoredImage } from '../image';
import type { DeployOptions, DeployResult, Host, HostInfo, PruneResult } from './host';

export interface LocalHostOptions {
  /** Where this host keeps everything. Default: see `defaultDataDirectory`. */
  dataDirectory?: string | undefined;
  /** Default: the machine's host name. */
  name?: string | undefined;
}

/** What only this process may touch while it owns the data directory. */
interface Parts {
  database: Database;
  journal: Journal;
  images: ImageStore;
}

/**
 * The composition root: the only place that makes the modules and wires them together. It owns the data
 * directory from `open` to `close`.
 */
export class LocalHost implements Host {
  readonly name: string;
  readonly directory: DataDirectory;
  readonly #parts: Parts;
  #engine: Promise<ContainerEngine> | undefined;

  private constructor(name: string, directory: DataDirectory, parts: Parts) {
    this.name = name;
    this.directory = directory;
    this.#parts = parts;
  }

  /** @throws {DataDirectoryInUseError} */
  static async open(options: LocalHostOptions = {}): Promise<LocalHost> {
    const directory = new DataDirectory(options.dataDirectory);
    directory.acquire();
    let database: Database | undefined;
    try {
      database = openDatabase(directory.join('garua.db'));
      const journal = new Journal(database);
      const images = await ImageStore.open({ dataDirectory: directory, database, journal });
      return new LocalHost(options.name ?? hostname(), directory, { database, journal, images });
    } catch (error) {
      database?.close();
      directory.close();
      throw error;
    }
  }

  async info(): Promise<HostInfo> {
    return { name: this.name, version: VERSION, dataDirectory: this.directory.path, pid: process.pid };
  }

  pull(ref: string, options: PullOptions = {}): Promise<PullResult> {
    return this.#parts.images.pull(ref, options);
  }

  async images(): Promise<StoredImage[]> {
    return this.#parts.images.images();
  }

  async removeImage(ref: string): Promise<void> {
    const image = await this.#parts.images.get(ref);
    const users = (await this.containers()).filter((container) => container.imageDigest === image.digest);
    if (users.length > 0) {
      throw new InvalidArgumentError(
        `image ${ref} is used by ${users.map((container) => container.name).join(', ')}`,
        'Remove the containers first (garua rm NAME).',
      );
    }
    await this.#parts.images.remove(ref);
  }

  async prune(options: LongCall = {}): Promise<PruneResult> {
    const engine = await this.#containerEngine();
    throwIfAborted(options.signal, 'prune');
    return this.#parts.images.prune({ ...options, keep: await engine.usedImages() });
  }

  async deploy(spec: ContainerSpec, options: DeployOptions = {}): Promise<DeployResult> {
    const engine = await this.#containerEngine();
    // A spec that can never run is refused before any byte is fetched.
    engine.validate(spec);
    const pull = await this.#parts.images.pull(spec.image, {
      ...options,
      policy: options.policy ?? 'missing',
    });
    const image = await this.#parts.images.get(pull.ref);
    const layers = this.#parts.images.mounts(image.chainIds);
    options.onProgress?.({ phase: 'starting', done: 0, total: 1, unit: 'steps' });
    const deployed = await engine.deploy(spec, image, layers, options);
    return { ...deployed, pull };
  }

  async containers(): Promise<ContainerStatus[]> {
    return (await this.#containerEngine()).list();
  }

  async container(name: string): Promise<ContainerStatus> {
    return (await this.#containerEngine()).get(name);
  }

  async start(name: string, options: LongCall = {}): Promise<ContainerStatus> {
    return (await this.#containerEngine()).start(name, options);
  }

  async stop(name: string, options: StopOptions = {}): Promise<ContainerStatus> {
    return (await this.#containerEngine()).stop(name, options);
  }

  async remove(name: string, options: StopOptions & { force?: boolean } = {}): Promise<void> {
    await (await this.#containerEngine()).remove(name, options);
  }

  async *logs(name: string, options: LogOptions = {}): AsyncIterable<LogLine> {
    yield* (await this.#containerEngine()).logs(name, options);
  }

  async *watch(options: LongCall = {}): AsyncIterable<ContainerStatus> {
    yield* (await this.#containerEngine()).watch(options);
  }

  async wait(name: string, options: LongCall = {}): Promise<ContainerStatus> {
    return (await this.#containerEngine()).wait(name, options);
  }

  /** Ends this process's part; containers go on running. */
  async close(): Promise<void> {
    const engine = await this.#engine?.catch(() => undefined);
    await engine?.close();
    await this.#parts.images.close();
    this.#parts.database.close();
    this.directory.close();
  }

  /** Opened at the first use: a pull alone must not pay for finding containers again. */
  #containerEngine(): Promise<ContainerEngine> {
    const { database, journal } = this.#parts;
    this.#engine ??= ContainerEngine.open({
      dataDirectory: this.directory,
      database,
      journal,
      hostName: this.name,
    }).catch((error) => {
      this.#engine = undefined;
      throw error;
    });
    return this.#engine;
  }
}
