import type { LongCall } from '../base';

export type ContainerState = 'created' | 'running' | 'stopped' | 'failed';

/** Binds a folder or file of the host into the container. */
export interface Mount {
  source: string;
  target: string;
  readOnly?: boolean;
}

export interface PublishedPort {
  hostPort: number;
  containerPort: number;
  protocol?: 'tcp' | 'udp';
  hostAddress?: string;
}

/** What a user asks for. The same document comes from the CLI, the node's dialog and the control socket. */
export interface ContainerSpec {
  /** Image reference, as for `garua pull`. */
  image: string;
  /** Letters, digits, `_.-`; made up from the image when absent. */
  name?: string;
  /** Replaces the image's entrypoint. */
  entrypoint?: string[];
  /** Replaces the image's command. */
  command?: string[];
  env?: Record<string, string>;
  workingDirectory?: string;
  user?: string;
  hostname?: string;
  mounts?: Mount[];
  /**
   * Default `bridge`: an address of its own, ports only where published. `none`: loopback only. `host`: all
   * of the host's interfaces and ports.
   */
  network?: 'host' | 'none' | 'bridge';
  ports?: PublishedPort[];
  /** Bytes. */
  memory?: number;
  labels?: Record<string, string>;
}

/** One row of `garua ps --json`. Times are ISO 8601 text; what is not known is null. */
export interface ContainerStatus {
  name: string;
  image: string;
  imageDigest: string;
  state: ContainerState;
  pid: number | null;
  exitCode: number | null;
  /** Why it is not running, in words: `exited`, `killed by SIGKILL`, `out of memory` ... */
  reason: string | null;
  ports: PublishedPort[];
  host: string;
  startedAt: string | null;
  finishedAt: string | null;
  /** Digest of the spec; equal digests mean that nothing has to be replaced. */
  specDigest: string;
}

export interface LogLine {
  /** ISO 8601. */
  time: string;
  stream: 'stdout' | 'stderr';
  text: string;
}

export interface LogOptions extends LongCall {
  /** Go on with new lines until the container is removed, or until the signal fires: then what is there still comes. */
  follow?: boolean;
  /** Only the last n lines of what is there. */
  tail?: number | undefined;
  /** Only lines written after this time (ISO 8601). */
  since?: string;
}

export interface StopOptions extends LongCall {
  /** Milliseconds between the stop signal and SIGKILL. Default 10,000. */
  graceMs?: number;
}
