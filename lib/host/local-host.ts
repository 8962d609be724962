import { hostname } from 'node:os';
import {
  type Database,
  DataDirectory,
  type ErrorDocument,
  InvalidArgumentError,
  Journal,
  type LongCall,
  OpenParts,
  openIntactDatabase,
  Reserve,
  throwIfAborted,
  VERSION,
} from '../base';
import { ContainerEngine, type ContainerSpec, type ContainerStatus, Policy } from '../container';
import {
  describeImage,
  formatReference,
  type ImageDescription,
  ImageStore,
  type PullOptions,
  type PullResult,
  parseReference,
  type StoredImage,
} from '../image';
import { type FogInfo, type InviteOptions, isHostName, type MeshHost } from '../mesh';
import { CriuCheckpointer } from '../migration/checkpoint';
import {
  type FlowEvent,
  OperatorPorts,
  type PlacedFlow,
  type PortAnswer,
  type PortCommand,
} from '../placement';
import {
  type CheckpointOptions,
  type CheckpointResult,
  HostCheckpoints,
  type RestoreOptions,
  type RestoreResult,
} from './checkpoints';
import { findDevices, type HostDevice } from './devices';
import { type Examination, examine } from './doctor';
import { HostFog, type MeshSettings } from './fog';
import { type ForwardStatus, HostForwards } from './forwards';
import type { DeployOptions, DeployResult, Host, HostInfo, PruneResult, ResolveOptions } from './host';
import { HostMessages } from './messages';
import { HostMigrations } from './migration';
import {
  type GetOptions,
  type GetResult,
  HostObjects,
  type PutFileOptions,
  type PutFileResult,
} from './objects';
import { HostOperators, hostContainers } from './operators';
import { HostOutlook, type Outlook, type OutlookOptions } from './outlook';
import { type HostParts, PassingOn } from './passed-on';
import { PeerGate } from './peers';
import { HostScale } from './scale';
import { HostServices, type ServiceStatus } from './services';
import { type HostSettings, settingsOf } from './settings';

export interface LocalHostOptions extends HostSettings {
  /** Where this host keeps everything. Default: see `defaultDataDirectory`. */
  dataDirectory?: string | undefined;
  /**
   * Whether restart policies and probes act while this host is open, also when nobody asks it anything. Default
   * false, for what ends soon.
   */
  supervise?: boolean | undefined;
  /** How it meets the other hosts of its fog. */
  mesh?: MeshSettings | undefined;
}

/** What only this process may touch while it owns the data directory. */
interface Parts {
  database: Database;
  journal: Journal;
  images: ImageStore;
  objects: HostObjects;
  fog: HostFog;
  peers: PeerGate;
  services: HostServices;
  messages: HostMessages;
}

interface Opening extends Pick<HostSettings, 'nodeRed' | 'nodeRedTokenFile'> {
  name: string;
  supervise: boolean;
  opened: OpenParts;
}

/**
 * The composition root: the only place that makes the modules and wires them together. It owns the data
 * directory from `open` to `close`.
 */
export class LocalHost extends PassingOn implements Host {
  readonly name: string;
  readonly directory: DataDirectory;
  readonly #parts: Parts;
  /** All that `close` closes beside the engine. */
  readonly #opened: OpenParts;
  #engine: Promise<ContainerEngine> | undefined;
  /** Full references of the images of deploys under way; no container of them is on record yet. */
  readonly #deploying = new Map<symbol, string>();
  #pruning: Promise<unknown> = Promise.resolve();

  #supervise: boolean;
  readonly #operatorPorts = new OperatorPorts();
  readonly #operators: HostOperators;
  readonly #forwards: HostForwards;
  readonly #migrations: HostMigrations;
  readonly #scale: HostScale;
  readonly #outlook: HostOutlook;

  private constructor(directory: DataDirectory, parts: Parts, options: Opening) {
    const { name, supervise, opened } = options;
    super((part) => this.#partOf(part));
    this.name = name;
    this.directory = directory;
    this.#parts = parts;
    this.#opened = opened;
    this.#supervise = supervise;
    const engine = () => this.#containerEngine();
    const { database, peers } = parts;
    this.#forwards = new HostForwards({ database, peers, stays: supervise, engine });
    parts.fog.whenOpen((mesh) => this.#forwards.attach(mesh));
    this.#migrations = new HostMigrations({
      ...{ directory, ...parts, checkpointer: new CriuCheckpointer(), forwards: this.#forwards },
      engine: () => this.#containerEngine(),
      keeping: (digest, work) => this.#keeping(digest, work),
    });
    this.#outlook = new HostOutlook({ directory, ...parts, engine: () => this.#containerEngine() });
    parts.fog.whenOpen((mesh) => this.#migrations.attach(mesh));
    this.#scale = new HostScale({
      ...{ directory, ...parts },
      engine: () => this.#containerEngine(),
      keeping: (digest, work) => this.#keeping(digest, work),
    });
    parts.fog.whenOpen((mesh) => this.#scale.attach(mesh));
    const { nodeRed, nodeRedTokenFile } = options;
    this.#operators = new HostOperators({
      ...{ directory, ...parts, ports: this.#operatorPorts, nodeRed, nodeRedTokenFile },
      containers: hostContainers({
        engine: () => this.#containerEngine(),
        prepare: (spec, options) => this.#prepare(spec, options),
        deploy: (spec, options) => this.deploy(spec, options),
        migrations: this.#migrations,
      }),
    });
    if (supervise) this.#operators.resume();
    // What cannot be opened now is tried again by the first call that needs it, which then says why.
    if (supervise && ContainerEngine.hasContainers(parts)) this.#containerEngine().catch(() => {});
  }

  /** @throws {DataDirectoryInUseError} */
  static async open(options: LocalHostOptions = {}): Promise<LocalHost> {
    const directory = new DataDirectory(options.dataDirectory);
    directory.acquire();
    const opened = new OpenParts();
    opened.add(directory);
    try {
      const { database, lost } = openIntactDatabase(directory.join('garua.db'));
      opened.add(database);
      const journal = database.transaction(() => {
        const made = new Journal(database);
        if (lost) ContainerEngine.expectLost({ dataDirectory: directory, journal: made });
        return made;
      })();
      const settings = settingsOf(database, options, directory.join('settings.json'));
      const { nas, quota, name = hostname(), site = name } = settings;
      const stays = options.supervise ?? false;
      const fog = opened.add(
        new HostFog({
          ...options.mesh,
          directory,
          database,
          // The label of a fog-host may be any text; in a fog the host then keeps the name it has.
          name: settings.name !== undefined && isHostName(settings.name) ? settings.name : undefined,
          site: settings.site,
          stays,
        }),
      );
      const peers = new PeerGate(directory);
      const objects = opened.add(
        new HostObjects({
          dataDirectory: directory.path,
          nas,
          site,
          writer: name,
          quota: { site: quota },
          fog,
          peers,
          stays,
        }),
      );
      // Only a NAS that others share is worth a second copy of each layer.
      const blobs = nas === undefined ? undefined : await objects.blobs();
      const images = opened.add(
        await ImageStore.open({
          dataDirectory: directory,
          database,
          journal,
          sources: [...(blobs ? [blobs] : []), objects.peerBlobs()],
          ...(blobs && { sink: blobs }),
          documents: objects.imageDocuments(blobs),
        }),
      );
      const services = opened.add(new HostServices({ database, peers, name, site }));
      fog.whenOpen((mesh) => services.attach(mesh));
      if (stays) await services.start();
      const messages = opened.add(new HostMessages(fog, database));
      // A host that stays is there for the others from the start.
      if (stays && (fog.isMember || options.mesh?.join?.length)) await fog.mesh();
      const parts = { database, journal, images, objects, fog, peers, services, messages };
      const { nodeRed, nodeRedTokenFile } = settings;
      return new LocalHost(directory, parts, { name, supervise: stays, opened, nodeRed, nodeRedTokenFile });
    } catch (error) {
      await opened.close().catch(() => {});
      throw error;
    }
  }

  async info(): Promise<HostInfo> {
    return { name: this.name, version: VERSION, dataDirectory: this.directory.path, pid: process.pid };
  }

  examine({ signal }: LongCall = {}): Promise<Examination> {
    return examine({ dataDirectory: this.directory.path, signal });
  }

  async pull(ref: string, options: PullOptions = {}): Promise<PullResult> {
    await this.#checkImage(ref);
    return this.#parts.images.pull(ref, options);
  }

  async images(): Promise<StoredImage[]> {
    return this.#parts.images.images();
  }

  async removeImage(ref: string): Promise<void> {
    const image = await this.#parts.images.get(ref);
    const users = (await this.containers()).filter((container) => container.imageDigest === image.digest);
    const names = users.map((container) => container.name);
    if ([...this.#deploying.values()].includes(image.ref)) names.push('a deploy under way');
    if (names.length > 0) {
      throw new InvalidArgumentError(
        `image ${ref} is used by ${names.join(', ')}`,
        'Remove the containers first (garua rm NAME).',
      );
    }
    await this.#parts.images.remove(ref);
  }

  async prune(options: LongCall = {}): Promise<PruneResult> {
    const engine = await this.#containerEngine();
    const used = await engine.usedImages();
    throwIfAborted(options.signal, 'prune');
    const { database, images } = this.#parts;
    // What makes room must work where there is none.
    const pruning = new Reserve(database.name).spendLater(() =>
      images.prune({ ...options, keep: [...used, ...this.#deploying.values()] }),
    );
    this.#pruning = pruning.catch(() => {});
    return pruning;
  }

  async resolveImage(ref: string, options: ResolveOptions = {}): Promise<ImageDescription> {
    await this.#checkImage(ref);
    return describeImage(ref, { ...options, dataDirectory: this.directory.path });
  }

  devices(): Promise<HostDevice[]> {
    return findDevices();
  }

  async deploy(spec: ContainerSpec, options: DeployOptions = {}): Promise<DeployResult> {
    const engine = await this.#containerEngine();
    // A spec that can never run is refused before any byte is fetched.
    await engine.validate(spec);
    await this.#checkImage(spec.image);
    new Reserve(this.#parts.database.name).check();
    const key = Symbol(spec.image);
    // From here on a prune keeps the image; one that began before must not find it half looked at.
    this.#deploying.set(key, formatReference(parseReference(spec.image)));
    try {
      await this.#pruning;
      const pulling = { ...options, policy: options.policy ?? 'missing' };
      const pull = await this.#parts.images.pull(spec.image, pulling);
      const image = await this.#parts.images.get(pull.ref);
      const layers = this.#parts.images.mounts(image.chainIds);
      options.onProgress?.({ phase: 'starting', done: 0, total: 1, unit: 'steps' });
      return { ...(await engine.deploy(spec, image, layers, options)), pull };
    } finally {
      this.#deploying.delete(key);
    }
  }

  /** Brings what a deploy of the spec would need. */
  async #prepare(spec: ContainerSpec, { signal }: LongCall): Promise<void> {
    await (await this.#containerEngine()).validate(spec);
    await this.pull(spec.image, { signal, policy: 'missing' });
  }

  async containers(): Promise<ContainerStatus[]> {
    return (await this.#containerEngine()).list();
  }

  async container(name: string): Promise<ContainerStatus> {
    return (await this.#containerEngine()).get(name);
  }

  async *watch(options: LongCall & { supervise?: boolean | undefined } = {}): AsyncIterable<ContainerStatus> {
    this.#supervise ||= options.supervise === true;
    const engine = await this.#containerEngine();
    if (this.#supervise) engine.supervise();
    yield* engine.watch(options);
  }

  checkpoint(name: string, file: string, options: CheckpointOptions = {}): Promise<CheckpointResult> {
    return this.#checkpoints().save(name, file, options);
  }

  restore(file: string, options: RestoreOptions = {}): Promise<RestoreResult> {
    return this.#checkpoints().load(file, options);
  }

  resolveMigration(name: string, where: 'here' | 'there'): Promise<void> {
    return this.#migrations.resolve(name, where);
  }

  async forwards(): Promise<ForwardStatus[]> {
    if (this.#parts.fog.isMember) await this.#parts.fog.mesh();
    return this.#forwards.list();
  }

  outlook(options: OutlookOptions = {}): Promise<Outlook> {
    return this.#outlook.look(options);
  }

  put(file: string, options: PutFileOptions = {}): Promise<PutFileResult> {
    return this.#parts.objects.put(file, options);
  }

  get(object: string, file: string | null, options: GetOptions = {}): Promise<GetResult> {
    return this.#parts.objects.get(object, file, options);
  }

  fogCreate({ name }: { name?: string | undefined } = {}): Promise<FogInfo> {
    return this.#parts.fog.create(name);
  }

  fogInvite(options: InviteOptions = {}): Promise<string> {
    return this.#parts.fog.invite(options);
  }

  fogJoin(invite: string, options: LongCall = {}): Promise<FogInfo> {
    return this.#parts.fog.join(invite, options);
  }

  fogRevoke(host: string): Promise<MeshHost> {
    return this.#parts.fog.revoke(host);
  }

  fog(): Promise<FogInfo | undefined> {
    return this.#parts.fog.info();
  }

  async services(): Promise<ServiceStatus[]> {
    const { fog, services } = this.#parts;
    if (ContainerEngine.hasContainers(this.#parts)) await this.#containerEngine();
    if (fog.isMember) await fog.meeting();
    if (!this.#supervise) await services.settled();
    return services.list();
  }

  useService(name: string): Promise<ServiceStatus> {
    return this.#parts.services.use(name);
  }

  async releaseService(name: string): Promise<void> {
    this.#parts.services.release(name);
  }

  placeFlow(flow: PlacedFlow, options: { signal?: AbortSignal | undefined } = {}): AsyncIterable<FlowEvent> {
    return this.#operators.placeFlow(flow, options);
  }

  operatorPort(
    instance: string,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): AsyncIterable<PortCommand> {
    return this.#operatorPorts.attach(instance, signal);
  }

  async answerPort(
    instance: string,
    id: number,
    answer: PortAnswer | { error: ErrorDocument },
  ): Promise<void> {
    this.#operatorPorts.answer(instance, id, answer);
  }

  /** Ends this process's part; containers go on running. */
  async close(): Promise<void> {
    this.#migrations.close();
    this.#forwards.close();
    try {
      await this.#operators.close();
      const engine = await this.#engine?.catch(() => undefined);
      await engine?.close();
    } finally {
      await this.#opened.close();
    }
  }

  #partOf<Part extends keyof HostParts>(part: Part): HostParts[Part] | Promise<HostParts[Part]> {
    const { fog, messages, objects } = this.#parts;
    const parts: { [P in keyof HostParts]: () => HostParts[P] | Promise<HostParts[P]> } = {
      engine: () => this.#containerEngine(),
      store: () => objects.store(),
      messages: () => messages.open(),
      fog: () => fog,
      migrations: () => this.#migrations,
      scaling: () => this.#scale,
      flows: () => this.#operators,
    };
    return parts[part]();
  }

  #checkpoints(): HostCheckpoints {
    const { name, directory } = this;
    return new HostCheckpoints({
      ...{ name, directory, checkpointer: new CriuCheckpointer(), images: this.#parts.images },
      engine: () => this.#containerEngine(),
      keeping: (digest, work) => this.#keeping(digest, work),
    });
  }

  /** Keeps an image from being pruned while the work runs. */
  async #keeping<T>(image: string, work: () => Promise<T>): Promise<T> {
    const key = Symbol(image);
    this.#deploying.set(key, image);
    try {
      await this.#pruning;
      return await work();
    } finally {
      this.#deploying.delete(key);
    }
  }

  /** Whether this host's policy allows the image. @throws {PolicyRefusedError} {PolicyInvalidError} */
  async #checkImage(ref: string): Promise<void> {
    (await Policy.of(this.directory)).checkImage(formatReference(parseReference(ref)));
  }

  /** Opened at the first use: a pull alone must not pay for finding containers again. */
  #containerEngine(): Promise<ContainerEngine> {
    const { database, journal } = this.#parts;
    this.#engine ??= ContainerEngine.open({
      dataDirectory: this.directory,
      database,
      journal,
      hostName: this.name,
      supervise: this.#supervise,
      yieldPorts: (ports) => this.#forwards.stepAside(ports),
    })
      .then(async (engine) => {
        await this.#parts.services.follow(engine);
        return engine;
      })
      .catch((error) => {
        this.#engine = undefined;
        throw error;
      });
    return this.#engine;
  }
}
