import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { appendFile, readFile } from 'node:fs/promises';
import { AbortedError, GaruaError, type LongCall } from '../../lib/base';
import type {
  ContainerSpec,
  ContainerStats,
  ContainerStatus,
  ExecOutput,
  LogLine,
  LogOptions,
  VolumeStatus,
} from '../../lib/container';
import type {
  DeployOptions,
  DeployResult,
  Examination,
  GetResult,
  Host,
  HostDevice,
  HostInfo,
  ResolveOptions,
  ScaledInstance,
  ScaleOptions,
  ScaleResult,
  ServiceStatus,
} from '../../lib/host';
import type { ImageDescription } from '../../lib/image';
import type { PutResult } from '../../lib/store';

/** A host without images or processes, for what the nodes do before, between and after its calls. */
export class MemoryHost implements Partial<Host> {
  readonly calls: string[] = [];
  readonly specs: ContainerSpec[] = [];
  readonly deployOptions: DeployOptions[] = [];
  readonly resolveOptions: ResolveOptions[] = [];
  machineDevices: HostDevice[] = [];
  readonly events = new EventEmitter().setMaxListeners(0);
  readonly states = new Map<string, ContainerStatus>();
  /** While set, deploys wait for it (or for their signal). */
  gate: Promise<void> | undefined;
  failure: Error | undefined;
  readonly objects = new Map<string, Buffer>();
  instances: ScaledInstance[] = [];
  closed = false;
  #pid = 100;
  #clock = Date.now();

  asHost(): Host {
    return this as unknown as Host;
  }

  async info(): Promise<HostInfo> {
    return { name: 'memory', version: '0', dataDirectory: '/nowhere', pid: 1 };
  }

  async examine(): Promise<Examination> {
    return {
      checks: [{ id: 'memory', area: 'machine', status: 'ok', detail: 'enough', why: 'It is a test.' }],
    };
  }

  async devices(): Promise<HostDevice[]> {
    return this.machineDevices;
  }

  async resolveImage(ref: string, options: ResolveOptions = {}): Promise<ImageDescription> {
    this.calls.push(`resolve ${ref}`);
    this.resolveOptions.push(options);
    if (this.failure) throw this.failure;
    const platform = 'linux/arm64/v8';
    return { ref, digest: 'sha256:00', platform, platforms: [platform], size: 4_200_000, layers: 1 };
  }

  async deploy(spec: ContainerSpec, options: DeployOptions = {}): Promise<DeployResult> {
    const name = spec.name!;
    this.calls.push(`deploy ${name}`);
    this.specs.push(spec);
    this.deployOptions.push(options);
    options.onProgress?.({ phase: 'pulling', done: 43, total: 100, unit: 'bytes' });
    if (this.gate) {
      const aborted = options.signal ? once(options.signal, 'abort') : new Promise(() => {});
      await Promise.race([this.gate, aborted]);
    }
    if (options.signal?.aborted) throw new AbortedError(`the deploy of ${name}`);
    if (this.failure) throw this.failure;
    const specDigest = JSON.stringify(spec);
    const before = this.states.get(name);
    if (before?.state === 'running' && before.specDigest === specDigest) {
      return { outcome: 'unchanged', container: before };
    }
    const container = this.change(name, { image: spec.image, state: 'running', specDigest });
    return { outcome: before ? 'replaced' : 'started', container };
  }

  async container(name: string): Promise<ContainerStatus> {
    const status = this.states.get(name);
    if (!status)
      throw new GaruaError('ERR_CONTAINER_NOT_FOUND', `there is no container ${name}`, 'See garua ps.');
    return status;
  }

  async containers(): Promise<ContainerStatus[]> {
    return [...this.states.values()];
  }

  async *exec(name: string, command: string[]): AsyncIterable<ExecOutput> {
    this.calls.push(`exec ${name} ${command.join(' ')}`);
    await this.container(name);
    yield { exitCode: 0 };
  }

  async stats(): Promise<ContainerStats[]> {
    return [];
  }

  async volumes(): Promise<VolumeStatus[]> {
    return [];
  }

  async removeVolume(name: string): Promise<void> {
    throw new GaruaError('ERR_VOLUME_NOT_FOUND', `there is no volume ${name}`, 'See volumes().');
  }

  async stop(name: string): Promise<ContainerStatus> {
    this.calls.push(`stop ${name}`);
    await this.container(name);
    return this.change(name, { state: 'stopped' });
  }

  async start(name: string): Promise<ContainerStatus> {
    this.calls.push(`start ${name}`);
    await this.container(name);
    return this.change(name, { state: 'running' });
  }

  async remove(name: string): Promise<void> {
    this.calls.push(`remove ${name}`);
    await this.container(name);
    this.states.delete(name);
  }

  async scale(name: string, { replicas, sites }: ScaleOptions): Promise<ScaleResult> {
    this.calls.push(`scale ${name} ${replicas}${sites ? ` ${sites}` : ''}`);
    this.instances = Array.from({ length: replicas }, (_, index) => ({
      ...{ container: name, host: `host-${index}`, site: `site-${index}` },
      state: index === 0 ? 'ready' : 'not-ready',
    }));
    if (replicas === 0) this.states.delete(name);
    return { name, service: 'web', replicas, instances: this.instances };
  }

  async services(): Promise<ServiceStatus[]> {
    const instances = this.instances.map((instance) => ({ ...instance, rttMs: 1 }));
    return [{ name: 'web', port: null, instances }];
  }

  async *watch({ signal }: LongCall = {}): AsyncIterable<ContainerStatus> {
    try {
      for await (const [status] of EventEmitter.on(this.events, 'change', { signal: signal! })) yield status;
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }

  async *logs(name: string, { signal, since }: LogOptions = {}): AsyncIterable<LogLine> {
    this.calls.push(`logs ${name} ${since ? 'since' : 'all'}`);
    try {
      for await (const [line] of EventEmitter.on(this.events, `line ${name}`, { signal: signal! }))
        yield line;
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }

  async put(file: string): Promise<PutResult> {
    const bytes = await readFile(file);
    const cid = `cid-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
    this.objects.set(cid, bytes);
    return { cid, size: bytes.length, seconds: 0, replicas: [], pending: [] };
  }

  async get(cid: string, file: string | null): Promise<GetResult> {
    const bytes = this.objects.get(cid);
    if (!bytes) throw new GaruaError('ERR_STORE_OBJECT_NOT_FOUND', `nobody has ${cid}`, 'Check the CID.');
    if (file !== null) await appendFile(file, bytes);
    return { cid, size: bytes.length, source: 'nas', networkCalls: 0, seconds: 0 };
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** No two changes happen in the same millisecond. */
  #now(): string {
    this.#clock = Math.max(Date.now(), this.#clock + 1);
    return new Date(this.#clock).toISOString();
  }

  /** Puts a container into a state and tells those who watch. */
  change(name: string, change: Partial<ContainerStatus>): ContainerStatus {
    const runs = change.state === 'running';
    const now = this.#now();
    const before = this.states.get(name);
    const status: ContainerStatus = {
      name,
      image: before?.image ?? '',
      imageDigest: '',
      state: 'created',
      pid: runs ? ++this.#pid : null,
      exitCode: runs ? null : 0,
      reason: null,
      ports: [],
      service: null,
      address: null,
      health: 'none',
      restarts: 0,
      rolledBack: null,
      host: 'memory',
      startedAt: runs ? now : (before?.startedAt ?? null),
      finishedAt: runs ? null : now,
      specDigest: before?.specDigest ?? '',
      ...change,
    };
    this.states.set(name, status);
    this.events.emit('change', status);
    return status;
  }
}
