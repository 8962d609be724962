import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type DataDirectory, type GaruaError, writeFileAtomic } from '../base';
import type { ImageConfig, LayerMount } from '../image/image';
import { commandLine } from './bundle/command';
import { runtimeConfiguration } from './bundle/configuration';
import { checkMounted } from './bundle/mounted';
import { containerHostname } from './bundle/network-files';
import { NetworkFailedError } from './errors';
import {
  attachedAddress,
  type Connecting,
  connect,
  disconnect,
  handOver,
  hidePorts,
  unplug,
} from './network/bridge';
import { yieldName } from './network/names';
import { makeNamespace, namespacePath, removeNamespace } from './network/namespace';
import { mountRoot, unmountRoot } from './overlay';
import type { ContainerPaths } from './paths';
import { Policy } from './policy';
import { startFailure } from './runtime/failure';
import { identifyProcess, type ProcessIdentity } from './runtime/process-identity';
import type { Runtime } from './runtime/runtime';
import type { CompleteSpec } from './spec/complete';
import type { Volumes } from './volumes';

/** All that a start of the container needs; kept beside its files. */
export interface ContainerRecord {
  spec: CompleteSpec;
  image: { ref: string; digest: string; config: ImageConfig };
  /** Bottom layer first. */
  layers: LayerMount[];
}

/** The steps between a record and a running process. Each can be repeated, and undone by `discard`. */
export class Lifecycle {
  readonly #directory: DataDirectory;
  readonly #paths: ContainerPaths;
  readonly #runtime: Runtime;
  readonly #volumes: Volumes;

  constructor(directory: DataDirectory, paths: ContainerPaths, runtime: Runtime, volumes: Volumes) {
    this.#directory = directory;
    this.#paths = paths;
    this.#runtime = runtime;
    this.#volumes = volumes;
  }

  /** Keeps the record of a new container. It may hold secrets in its variables, so only root reads it. */
  async keep(id: string, record: ContainerRecord): Promise<void> {
    const folder = this.#paths.of(id);
    await mkdir(folder.path, { recursive: true, mode: 0o700 });
    await writeFileAtomic(folder.record, JSON.stringify(record), 0o600);
  }

  async record(id: string): Promise<ContainerRecord> {
    return JSON.parse(await readFile(this.#paths.of(id).record, 'utf8')) as ContainerRecord;
  }

  /** Mounts the root and writes the bundle. What can be known to fail, fails here. */
  async prepare(id: string, { spec, image, layers }: ContainerRecord): Promise<void> {
    const folder = this.#paths.of(id);
    await this.#runtime.checkTools();
    const policy = await Policy.of(this.#directory);
    policy.checkImage(image.ref);
    commandLine(spec, image.config);
    // Named by bind mounts that other users of the container read, so not 0700 inside; the parent is.
    await mkdir(folder.files, { recursive: true, mode: 0o755 });
    await mountRoot(spec.name, folder, layers);
    if (spec.network !== 'host') await makeNamespace(id);
    const { root, files } = folder;
    const volume = (name: string, target: string) => this.#volumes.ensure(name, root, target);
    const sources = { policy, volume };
    const config = await runtimeConfiguration({ id, spec, image: image.config, root, files, sources });
    await writeFile(folder.config, JSON.stringify(config), { mode: 0o600 });
  }

  /** Gives a created container its network, where that takes more than a namespace; answers its address there. */
  async connect(id: string, record: ContainerRecord, pid: number): Promise<string | null> {
    if (record.spec.network !== 'bridge') return null;
    const process = await identifyProcess(pid);
    if (!process) throw new NetworkFailedError('bridge', 'its first process has ended');
    return this.#connect(id, record, { process, namespace: `/proc/${pid}/ns/net` });
  }

  /**
   * As `connect`, for a container that has no process yet: until `joined` the connection ends with this process here.
   * `wanted`: the address to give, if nobody has it.
   */
  async connectAhead(
    id: string,
    record: ContainerRecord,
    wanted: string | undefined,
  ): Promise<string | null> {
    if (record.spec.network !== 'bridge') return null;
    const self = (await identifyProcess(process.pid))!;
    return this.#connect(id, record, { process: self, namespace: namespacePath(id), wanted });
  }

  /** The container that was connected ahead has its first process now. */
  async joined(id: string, first: ProcessIdentity): Promise<void> {
    await handOver(id, this.#paths.of(id), first);
  }

  /** Takes a running container from the bridge, so that its connections do not notice when it ends. */
  async unplug(id: string, { spec }: ContainerRecord, pid: number): Promise<void> {
    if (spec.network === 'bridge') await unplug(id, this.#paths.of(id), `/proc/${pid}/ns/net`);
  }

  /** Its published ports lead to the container no more; connections that are open go on. */
  async hidePorts(id: string): Promise<void> {
    await hidePorts(id);
  }

  async #connect(
    id: string,
    { spec }: ContainerRecord,
    how: Pick<Connecting, 'process' | 'namespace' | 'wanted'>,
  ): Promise<string | null> {
    const folder = this.#paths.of(id);
    const names = { name: spec.name, hostname: containerHostname(spec), service: spec.service };
    await connect({ id, folder, names, ports: spec.ports, ...how });
    return (await attachedAddress(folder)) ?? null;
  }

  /** Mounts the root anew, for files of it were changed from outside. */
  async remount(id: string, { spec, layers }: ContainerRecord): Promise<void> {
    await mountRoot(spec.name, this.#paths.of(id), layers);
  }

  /** Lets the name of a container that is being replaced mean its replacement, while both still run. */
  async yieldName(id: string): Promise<void> {
    await yieldName(id, this.#paths.containers);
  }

  /** Makes the container's first process, which waits for `start`. */
  async create(id: string, { spec, image }: ContainerRecord): Promise<ProcessIdentity> {
    try {
      const process = await this.#runtime.create(id, spec.stdin === true);
      await checkMounted(spec, process.pid, await Policy.of(this.#directory));
      return process;
    } catch (error) {
      throw this.#explain(error, spec, image.config);
    }
  }

  async start(id: string, { spec, image }: ContainerRecord): Promise<void> {
    try {
      await this.#runtime.start(id);
    } catch (error) {
      throw this.#explain(error, spec, image.config);
    }
  }

  /** Frees what a container that has ended still holds: runc's state, cgroups, mount, network. */
  async release(id: string): Promise<void> {
    await this.#runtime.destroy(id);
    unmountRoot(this.#paths.of(id));
    await removeNamespace(id);
    await disconnect(id, this.#paths.of(id));
  }

  /** Ends a container and removes all traces of it. */
  async discard(id: string): Promise<void> {
    await this.release(id);
    const folder = this.#paths.of(id);
    // First what marks it as a container, so that those who follow its log see that it has gone.
    await rm(folder.record, { force: true });
    await rm(folder.path, { recursive: true, force: true });
    await rm(folder.exitFile, { force: true });
  }

  #explain(error: unknown, spec: CompleteSpec, image: ImageConfig): GaruaError {
    return startFailure(error, spec.name, spec.image, commandLine(spec, image)[0]!);
  }
}
