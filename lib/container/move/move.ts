import type { ContainerStatus } from '../container';
import type { ContainerRecord } from '../lifecycle';

/**
 * Why a container leaves or arrives. `checkpoint`: into or from a file; nobody else has it, so the next start of this
 * process undoes what was half done. `migration`: another host takes part.
 */
export type MovePurpose = 'checkpoint' | 'migration';

export interface TimedCall {
  signal?: AbortSignal | undefined;
  /** Milliseconds; the call is ended and rejects after them. */
  timeoutMs?: number | undefined;
}

export interface DumpOptions extends TimedCall {
  /** Called once the processes stand still and all that they have written is in their files and in the log. */
  onStill?: (() => void) | undefined;
}

/** What a dump took, in milliseconds. */
export interface DumpTimes {
  /** From the freeze to the end of the dump. The container stays frozen until `thaw`. */
  frozenMs: number;
  dumpMs: number;
}

/** A named volume of a container that moves, with the folder of its files on this host. */
export interface MovingVolume {
  name: string;
  path: string;
}

/**
 * A running container that is about to leave. From `depart` to `resume` or `release` nobody else may stop, start,
 * replace or remove it, and its probes rest. It runs until it is frozen; it is never ended before `release`, so that
 * giving up costs no more than a thaw.
 *
 * When this process is killed meanwhile, the next one thaws the container and forgets that it was to leave, once no
 * checkpoint of it is under way. Not so after `offer`: then `Moves.departure` answers it again.
 */
export interface Departure {
  readonly purpose: MovePurpose;
  readonly id: string;
  readonly name: string;
  /** Its spec, and its image by reference, digest and configuration; all that `arrive` needs. */
  readonly record: ContainerRecord;
  readonly specDigest: string;
  /** Its address on the bridge; null without one. */
  readonly address: string | null;
  /** What it has written beside its image: overlayfs's upper layer. */
  readonly upper: string;
  readonly volumes: readonly MovingVolume[];
  /**
   * Keeps beside its files that it is about to leave, and what its mover needs to go on: a host that loses its index
   * meanwhile then holds it back, as after `offer`, and answers the note by `Moves.notes`. Call it before `offer`.
   */
  note(note: unknown): Promise<void>;
  /** A folder for its dump, in memory where there is room for it; it goes with `resume` or `release`. */
  imagesFolder(): Promise<string>;
  /** Its log, oldest file first, in the k8s-file format of conmon. */
  logFiles(): string[];
  /** The process that all others of the container descend from, as this host numbers it; undefined once it has ended. */
  readonly firstProcess: number | undefined;
  /** All processes of the container, as this host numbers them, in no order. */
  processes(): Promise<number[]>;
  /** Stops all its processes where they are. Harmless when it is frozen. @throws {FreezeFailedError} */
  freeze(): Promise<void>;
  /** Lets it go on. Harmless when it is not frozen. */
  thaw(): Promise<void>;
  /**
   * Freezes the container and writes its processes into the folder, which is made when it is missing. It stays frozen
   * afterwards, so that its files can be copied as they are in this moment. When the dump fails it goes on running.
   *
   * @throws {CheckpointFailedError} with the reason from CRIU's log {CheckpointTimeoutError} {AbortedError}
   */
  dump(folder: string, options?: DumpOptions): Promise<DumpTimes>;
  /** Ends its processes without a checkpoint, for a move that starts it anew. Its files stay; `resume` starts it. */
  stop(options?: { signal?: AbortSignal | undefined; graceMs?: number | undefined }): Promise<void>;
  /** Its published ports lead to it no more; connections that are open go on. */
  hidePorts(): Promise<void>;
  /** How many connections are open at its published TCP ports and its service's; null where that cannot be told. */
  connections(): Promise<number | null>;
  /**
   * Says, durably, that somebody else may run it from now on: call it before a restore may begin. Only `resume` and
   * `release` decide then, also after a kill of this process; until then it stays as it is.
   */
  offer(): void;
  /** Gives up: it runs on here as if nothing had happened. What has ended meanwhile is started by its restart policy. */
  resume(): Promise<ContainerStatus>;
  /**
   * Somebody else has it: ends it here and takes away all that belongs to it, its volumes as well when they were used
   * by nobody else. Its connections are left without a word, so that they can go on elsewhere under its address. When
   * this fails, or is cut off by a crash, it can be called again; the next start of the engine goes on with it too.
   */
  release(): Promise<void>;
}

/** What a container that arrives was elsewhere. */
export interface ArrivalRequest {
  purpose: MovePurpose;
  /** With the layers of its image as they are on this host. */
  record: ContainerRecord;
  /** Bytes of the dump, as far as that is known: where there is room for so many, `images` is in memory. */
  imageBytes?: number | undefined;
  /** The address that its connections and sockets know; it is kept when it is free here. */
  address?: string | null | undefined;
}

/**
 * A container that is about to run here: its root is mounted, its volumes and its network are ready, and no process of
 * it runs yet. Fill `upper`, `volumes`, `images` and `log` before `restore`. Until `commit` nobody else may touch it.
 *
 * When this process is killed meanwhile, the next one removes all of it. Not so after `accept`: then
 * `Moves.arrival` answers it again.
 */
export interface Arrival {
  readonly purpose: MovePurpose;
  readonly id: string;
  readonly name: string;
  /** Empty but for its root folder's owner. Nothing may be changed here while the container runs. */
  readonly upper: string;
  /** In the order of the record's mounts; all made for this arrival, and empty. */
  readonly volumes: readonly MovingVolume[];
  /** A folder in memory where there is room, for the dump; it goes with `commit` or `abort`. */
  readonly images: string;
  /** Where the end of its log can be put, in the k8s-file format; what it writes here follows. */
  readonly log: string;
  /** Its address on the bridge here; null without one. */
  readonly address: string | null;
  readonly addressOutcome: 'kept' | 'changed' | 'none';
  /**
   * Brings its processes back from `images`; they run when this resolves.
   *
   * @throws {RestoreFailedError} with the reason from CRIU's log {CheckpointTimeoutError} {AbortedError}
   */
  restore(options?: TimedCall): Promise<void>;
  /** Starts it anew, with its files as they were. */
  startFresh(): Promise<void>;
  /** Waits until its readiness probe, else its liveness probe, says that it is well; without one it must be alive. */
  probe(signal?: AbortSignal): Promise<void>;
  /** Says, durably, that its fate is decided elsewhere: it stays as it is until `commit` or `abort`. */
  accept(): void;
  /** Resolves once its files and volumes are on the disk, so that not even a power cut takes them. */
  sync(): Promise<void>;
  /** It is a container of this host from now on. */
  commit(): Promise<ContainerStatus>;
  /** Takes away all of it, volumes included. Can be repeated. */
  abort(): Promise<void>;
}
