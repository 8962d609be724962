import type { LongCall } from '../base';

/** Names a host: its name, its peer ID, or a prefix of the peer ID that only one host has. */
export type HostName = string;

/** What a host may do in its fog beside being a member. */
export type Ability = 'invite' | 'revoke';

/** What a machine is; it changes rarely. */
export interface HostAbilities {
  /** As `process.arch`: arm64, x64. */
  arch: string;
  kernel: string;
  /** Version of a CRIU that works here, or null. */
  criu: string | null;
  cpus: number;
  /** Bytes. */
  memory: number;
  /** Version of garua. */
  version: string;
}

/** How busy a machine is. */
export interface HostLoad {
  /** Cores that were idle, over the last half minute. */
  freeCpus: number;
  /** Bytes that processes could still get. */
  freeMemory: number;
}

/** `suspect`: silent for two heartbeats; `down`: silent for longer, or never met. It is redialled for ever. */
export type HostState = 'up' | 'suspect' | 'down';

/** One host of the fog, as this host sees it. */
export interface MeshHost {
  name: string;
  peerId: string;
  site: string;
  /** Multiaddrs without the peer ID. */
  addresses: string[];
  state: HostState;
  /** Whether this is the host that answers. */
  self: boolean;
  /** When it was last heard of, in ms since the epoch by this host's clock; null = never. */
  lastSeen: number | null;
  /** Smoothed round-trip time; null = not measured yet. */
  rttMs: number | null;
  /** Smoothed rate at which bytes came from it, per second; null = not measured yet. */
  throughput: number | null;
  /** null until its record has come. */
  abilities: HostAbilities | null;
  /** null until it was heard of in this run. */
  load: HostLoad | null;
}

/** A change in the view. `changed` is about addresses, name, site, abilities or throughput. */
export interface MeshEvent {
  type: 'joined' | 'up' | 'suspect' | 'down' | 'changed' | 'revoked';
  host: MeshHost;
}

/** What people see of the fog this host belongs to. */
export interface FogInfo {
  name: string;
  /** Names the fog's key. */
  fingerprint: string;
  peerId: string;
  host: string;
  site: string;
  abilities: Ability[];
  /** Multiaddrs with the peer ID, to be given to `--join`. */
  addresses: string[];
  hosts: number;
}

export interface InviteOptions {
  /** How many hosts it lets in. Default 1. */
  uses?: number | undefined;
  /** How long it can be used, in ms. Default one day. */
  validMs?: number | undefined;
  /** Whether the hosts it lets in may invite and revoke. Default false. */
  admin?: boolean | undefined;
  /** How many ms after joining a host's certificate ends. Default: never. */
  certificateMs?: number | undefined;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Default 10,000. */
  timeoutMs?: number | undefined;
}

/** Who asks, and a signal that fires when the answer is not wanted any more. */
export interface CallContext {
  peerId: string;
  signal: AbortSignal;
}

/** Answers a call. Argument and result are JSON data. */
export type CallHandler = (argument: never, context: CallContext) => unknown;

/**
 * Bytes both ways between two hosts. `write` resolves when more may be written: a slow reader at the other
 * end slows the writer down, and at most a few MB lie in between.
 */
export interface ByteStream {
  readonly peerId: string;
  /** @throws {StreamBrokenError} when the other end broke it off. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends this side's writing; reading goes on. */
  end(): Promise<void>;
  /** What the other end writes, until it ends its side. Leaving the loop early breaks the stream off. */
  read(): AsyncIterable<Uint8Array>;
  /** Breaks both directions off at once. */
  abort(error?: Error): void;
}

export type StreamHandler = (header: never, stream: ByteStream, context: CallContext) => Promise<void>;

/** Says which hosts have an object. */
export interface Locator {
  /** Announces that this host has the object, or will as soon as it is not alone. Repeats within the hour are free. */
  provide(cid: string, signal: AbortSignal): Promise<void>;
  /** The announcement is not renewed any more. */
  withdraw(cid: string): Promise<void>;
  /** Peer IDs of hosts that announced it, as they are found; ends early and quietly when the signal fires. */
  findProviders(cid: string, signal: AbortSignal): AsyncIterable<string>;
}

/**
 * The hosts of a fog and the ways between them, without a master. Every host knows all hosts, proves its
 * membership before anything else is served, and goes on alone when it is cut off.
 */
export interface Mesh {
  readonly peerId: string;
  /** What this host is called, and its site, also while it belongs to no fog. */
  readonly name: string;
  readonly site: string;
  /** undefined while this host belongs to no fog. */
  fog(): FogInfo | undefined;
  /** @throws {AlreadyInFogError} */
  createFog(options?: { name?: string | undefined }): Promise<FogInfo>;
  /** One line of text that lets hosts in; a secret. @throws {NoFogError} {NotAllowedError} */
  invite(options?: InviteOptions): Promise<string>;
  /** @throws {InvalidInviteError} {InviteExpiredError} {InviteUsedUpError} {AlreadyInFogError} {UnreachableError} */
  join(invite: string, options?: LongCall): Promise<FogInfo>;
  /** Shuts a host out of the fog for good. @throws {NotAllowedError} {HostNotFoundError} */
  revoke(host: HostName): Promise<MeshHost>;
  /** All hosts of the fog, this one too. */
  hosts(): MeshHost[];
  /** @throws {HostNotFoundError} */
  host(name: HostName): MeshHost;
  /** Changes as they come, until the signal fires. */
  watch(options?: { signal?: AbortSignal | undefined }): AsyncIterable<MeshEvent>;
  /** Takes calls of that name; the answer undoes it. */
  serve(name: string, handler: CallHandler): () => void;
  /** @throws {UnreachableError} {CallTimeoutError} and what the handler throws, with its code. */
  call<T = unknown>(host: HostName, name: string, argument?: unknown, options?: CallOptions): Promise<T>;
  serveStream(name: string, handler: StreamHandler): () => void;
  /** Opens a stream; `header` is JSON data for the handler. */
  openStream(host: HostName, name: string, header?: unknown, options?: CallOptions): Promise<ByteStream>;
  readonly locator: Locator;
  /** A signature with this host's key, which `isSignedBy` checks. The bytes must say what they are signed for. */
  sign(bytes: Uint8Array): Uint8Array;
  close(): Promise<void>;
}
