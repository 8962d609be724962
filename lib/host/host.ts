import type { LongCall } from '../base';
import type { VolumeStatus } from '../container';
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
} from '../container/container';
import type { ImageDescription, PullOptions, PullResult, StoredImage } from '../image/image';
import type { FogInfo, InviteOptions, MeshHost } from '../mesh/mesh';
import type { Messages } from '../mesh/messages/messages';
import type { FlowPlacement } from '../placement/operators/flow/placed-flow';
import type { PortHost } from '../placement/operators/ports/ports';
import type { GarbageResult, ScrubOptions, ScrubResult, Whereabouts } from '../store/store';
import type { CheckpointOptions, CheckpointResult, RestoreOptions, RestoreResult } from './checkpoints';
import type { HostDevice } from './devices';
import type { Examination } from './doctor/check';
import type { SiteStatus } from './fog';
import type { ForwardStatus } from './forwards';
import type { MigrateOptions, MigrateOutcome } from './migration';
import type { GetOptions, GetResult, PutFileOptions, PutFileResult } from './objects';
import type { Outlook, OutlookOptions } from './outlook';
import type { ScaleOptions, ScaleResult } from './scale';
import type { ServiceStatus } from './services';

/** `deploy`: what happened to make the container match its spec. */
export interface DeployResult {
  outcome: 'started' | 'unchanged' | 'replaced';
  container: ContainerStatus;
  /** Absent when the image's policy asked for no pull. */
  pull?: PullResult;
}

export interface DeployOptions extends Omit<PullOptions, 'platform'> {
  /**
   * Wait until a new container is ready by its readiness probe, else by its liveness probe; when it does not become
   * ready the deploy rejects with ERR_CONTAINER_NOT_READY, and the container stays for its log to be read. Default
   * false: its status says `starting` until the probe has answered. A replacement of a running container waits anyway.
   */
  waitReady?: boolean | undefined;
}

export interface ResolveOptions extends Omit<PullOptions, 'policy' | 'onProgress'> {}

/** Who owns the data directory. */
export interface HostInfo {
  name: string;
  version: string;
  dataDirectory: string;
  pid: number;
}

export interface PruneResult {
  images: string[];
  layers: string[];
  bytesFreed: number;
}

/**
 * Everything one machine of the fog can do. The CLI, the Node-RED nodes and other programs all speak to
 * this interface; it is either this process itself or, through the control socket, another.
 */
export interface Host extends Messages, PortHost, FlowPlacement {
  info(): Promise<HostInfo>;
  /** What the machine has and lacks, seen with the rights of the process that owns the data directory. */
  examine(options?: LongCall): Promise<Examination>;
  pull(ref: string, options?: PullOptions): Promise<PullResult>;
  images(): Promise<StoredImage[]>;
  removeImage(ref: string): Promise<void>;
  /** Removes images that no container uses, and layers and leftovers that no image uses. */
  prune(options?: LongCall): Promise<PruneResult>;
  /** Asks where an image comes from what it is, and fetches no layer of it. @throws what a pull throws before its layers */
  resolveImage(ref: string, options?: ResolveOptions): Promise<ImageDescription>;
  /** The devices of this machine that a container may want. */
  devices(): Promise<HostDevice[]>;
  /** Pulls the image by its policy (default `missing`) and makes the container run as the spec says. */
  deploy(spec: ContainerSpec, options?: DeployOptions): Promise<DeployResult>;
  containers(): Promise<ContainerStatus[]>;
  /** @throws ERR_CONTAINER_NOT_FOUND */
  container(name: string): Promise<ContainerStatus>;
  stop(name: string, options?: StopOptions): Promise<ContainerStatus>;
  start(name: string, options?: LongCall): Promise<ContainerStatus>;
  remove(name: string, options?: StopOptions & { force?: boolean }): Promise<void>;
  logs(name: string, options?: LogOptions): AsyncIterable<LogLine>;
  /**
   * Runs one more command in a running container, within its limits: texts as they come, last its status. When the
   * signal fires, or the reader stops, the command and all that it has started are killed, and no status comes.
   */
  exec(name: string, command: string[], options?: ExecOptions): AsyncIterable<ExecOutput>;
  /** What it takes to run a command in a container on the caller's own terminal, as root on the same machine. */
  execPlan(name: string, command: string[], options?: ExecOptions): Promise<ExecPlan>;
  /** What each running container uses, by name. */
  stats(options?: LongCall): Promise<ContainerStats[]>;
  /**
   * States of all containers as they change, until the signal fires. `supervise`, for those that stay: from now on
   * restart policies and probes act, also where the owner is a command that has not come for that.
   */
  watch(options?: LongCall & { supervise?: boolean | undefined }): AsyncIterable<ContainerStatus>;
  /** Resolves with the status once the container is not running any more. */
  wait(name: string, options?: LongCall): Promise<ContainerStatus>;
  /**
   * Appends a running container, its memory included, to a file or a FIFO that is there, opened as for `put`. It stands
   * still for a moment, and goes on. Such a file holds its secrets, and is as good as root to whoever restores it.
   */
  checkpoint(name: string, file: string, options?: CheckpointOptions): Promise<CheckpointResult>;
  /** Lets the container of a checkpoint file go on here where it was. @throws ERR_CHECKPOINT_INCOMPATIBLE, ERR_POLICY_RESTORE */
  restore(file: string, options?: RestoreOptions): Promise<RestoreResult>;
  /**
   * Moves a running container to another host of the fog; a failure before it runs there leaves it here, and the
   * result says why. Until it stands still the signal gives the migration up.
   *
   * @throws ERR_MIGRATION_IMPOSSIBLE, ERR_MIGRATION_TO_SELF, ERR_MIGRATION_RUNNING, ERR_MIGRATION_IN_DOUBT
   */
  migrate(name: string, options: MigrateOptions): Promise<MigrateOutcome>;
  /** Says which copy counts after a migration whose other host cannot be asked. @throws ERR_MIGRATION_NOTHING_TO_RESOLVE */
  resolveMigration(name: string, where: 'here' | 'there'): Promise<void>;
  /** Published ports of containers that have moved away, from which connections are passed on to where they are. */
  forwards(): Promise<ForwardStatus[]>;
  /**
   * How busy this host and the others are, what its containers use, whether it is in trouble, and how far each site is
   * from a user: what the triggers of lib/migration decide by.
   */
  outlook(options?: OutlookOptions): Promise<Outlook>;
  /**
   * Runs a container that offers a service on so many hosts of the fog, at most once on each, under the same name. New
   * ones are ready before others are drained and removed. May be repeated; each call makes good what another left.
   *
   * @throws ERR_SCALE_NO_SERVICE, ERR_SCALE_NO_ROOM, ERR_SCALE_RUNNING
   */
  scale(name: string, options: ScaleOptions): Promise<ScaleResult>;
  /** The named volumes, which outlive containers and every prune. */
  volumes(): Promise<VolumeStatus[]>;
  /** Removes a volume and its files for good. @throws ERR_VOLUME_NOT_FOUND, ERR_VOLUME_IN_USE */
  removeVolume(name: string): Promise<void>;
  /**
   * Makes an object of a file, or of what comes through a FIFO. The owner opens it: for bytes in memory, or a
   * file that only this process may read, see `callWithInput` of lib/control.
   */
  put(file: string, options?: PutFileOptions): Promise<PutFileResult>;
  /**
   * Appends an object's bytes to a file or a FIFO that is there; `null` only brings it to this site.
   *
   * @throws ERR_STORE_OBJECT_OVER_LIMIT
   */
  get(object: string, file: string | null, options?: GetOptions): Promise<GetResult>;
  where(object: string, options?: LongCall): Promise<Whereabouts>;
  pin(object: string, options?: LongCall): Promise<void>;
  unpin(object: string): Promise<void>;
  scrub(options?: ScrubOptions): Promise<ScrubResult>;
  gc(options?: LongCall): Promise<GarbageResult>;
  /** Makes a fog whose first host this is. @throws ERR_MESH_ALREADY_MEMBER */
  fogCreate(options?: { name?: string | undefined }): Promise<FogInfo>;
  /** One line of text that lets hosts in; a secret. @throws ERR_MESH_NO_FOG, ERR_MESH_NOT_ALLOWED */
  fogInvite(options?: InviteOptions): Promise<string>;
  /** @throws ERR_MESH_INVITE_INVALID, ERR_MESH_INVITE_EXPIRED, ERR_MESH_INVITE_USED_UP, ERR_MESH_UNREACHABLE */
  fogJoin(invite: string, options?: LongCall): Promise<FogInfo>;
  /** Shuts a host out of the fog for good. @throws ERR_MESH_HOST_NOT_FOUND, ERR_MESH_NOT_ALLOWED */
  fogRevoke(host: string): Promise<MeshHost>;
  /** The fog this host belongs to, if it does. */
  fog(): Promise<FogInfo | undefined>;
  /** The sites of the fog and their hosts, as this host sees them. */
  sites(): Promise<SiteStatus[]>;
  /** The services that containers of the fog offer by name, and those in use here. */
  services(): Promise<ServiceStatus[]>;
  /**
   * Gives a service a port on 127.0.0.1 of this host that leads to its nearest ready instance, wherever that runs; it
   * stays the same over restarts until it is released. @throws ERR_SERVICE_PORT_TAKEN
   */
  useService(name: string): Promise<ServiceStatus>;
  /** Gives the port back. */
  releaseService(name: string): Promise<void>;
  close(): Promise<void>;
}
