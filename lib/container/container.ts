import type { LongCall } from '../base';

/**
 * `restarting`: it ended, and its restart policy starts it again after a pause. `removed` is seen only by those who
 * watch, as the last word about a container.
 */
export type ContainerState = 'created' | 'running' | 'restarting' | 'stopped' | 'failed' | 'removed';

/** Something that appears at `target` in the container beside its image. */
export interface Mount {
  /**
   * `bind`: a folder or file of the host. `volume`: a folder kept under a name by Garua, filled from the image at its
   * first use, which outlives its containers. `tmpfs`: in memory, gone with the container. Default `bind`.
   */
  type?: 'bind' | 'volume' | 'tmpfs';
  /** A path of the host, or the volume's name; absent for tmpfs. */
  source?: string;
  target: string;
  readOnly?: boolean;
  /** tmpfs only: most bytes it may hold. Default 64 MiB. */
  size?: number;
}

/** A device of the host, such as /dev/gpiochip0, /dev/i2c-1, /dev/ttyUSB0 or /dev/video0. */
export interface Device {
  /** Path on the host; a symbolic link such as those of /dev/serial/by-id is followed. */
  source: string;
  /** Path in the container; default: the same. */
  target?: string;
  /** Of `r` read, `w` write, `m` make a node. Default `rw`. */
  permissions?: string;
}

/** When a container that ended is started again; the pause doubles from 1 s to 5 min and starts over once it ran for 10 s. */
export interface RestartPolicy {
  /** `unless-stopped` differs from `always` only after a reboot of one that the user had stopped. */
  policy: 'no' | 'on-failure' | 'always' | 'unless-stopped';
  /** `on-failure` only: give up after so many in a row. Absent: never. */
  maximumRetries?: number;
}

/**
 * A question put to a container again and again. Exactly one of `http`, `tcp` and `exec` is set.
 * The words are those of Kubernetes.
 */
export interface Probe {
  /**
   * A URL that must answer with a status from 200 to 399, such as `http://:8080/health`. A missing or loopback host
   * means the container itself.
   */
  http?: string;
  /** A port of the container that must accept a connection, or `HOST:PORT`. */
  tcp?: number | string;
  /** A command that must end with status 0 in the container. */
  exec?: string[];
  /** Milliseconds between two questions. Default 10,000. */
  intervalMs?: number;
  /** Milliseconds until no answer counts as a failure. Default 5,000. */
  timeoutMs?: number;
  /** Failures in a row until it counts as unhealthy. Default 3. */
  failureThreshold?: number;
  /** Successes in a row until it counts as healthy. Default 1. */
  successThreshold?: number;
  /** Milliseconds after the start during which failures do not count. Default 30,000. */
  startPeriodMs?: number;
}

/** Changes to Docker's default capabilities, by name with or without `CAP_`; `ALL` stands for all. */
export interface CapabilityChanges {
  /** Only as far as the host's policy.json allows. */
  add?: string[];
  drop?: string[];
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
  /** More groups of the process: names of the image's /etc/group, or numbers. */
  groups?: string[];
  hostname?: string;
  /** More lines of /etc/hosts: name to address; the address `host-gateway` is the host's own. */
  extraHosts?: Record<string, string>;
  mounts?: Mount[];
  devices?: Device[];
  /** The image's tree cannot be written to; mounts can. */
  readOnlyRoot?: boolean;
  /** The program's standard input stays open, for who writes to it. Default: it is empty. */
  stdin?: boolean;
  /**
   * Default `bridge`: an address of its own, ports only where published. `none`: loopback only. `host`: all
   * of the host's interfaces and ports.
   */
  network?: 'host' | 'none' | 'bridge';
  ports?: PublishedPort[];
  /** Another name under which it is found: by the containers of its bridge, and by all hosts of the fog. */
  service?: string;
  /**
   * The TCP port that the service is reached at in the container. Default: the first one published, else the lowest
   * that the image exposes; without either only its bridge finds it. Needs `service`.
   */
  servicePort?: number;
  /** Bytes. */
  memory?: number;
  /** Bytes of swap beside `memory`. Default 0. Needs `memory`. */
  swap?: number;
  /** Most processes and threads. Default 4,096. */
  pids?: number;
  /** Cores, such as 0.25. */
  cpus?: number;
  /** Share of the disk's time when it is busy: 10 to 1,000, where 100 is usual. */
  ioWeight?: number;
  capabilities?: CapabilityChanges;
  /** All capabilities and devices, no filters: only where the host's policy.json says so. */
  privileged?: boolean;
  restart?: RestartPolicy;
  /**
   * A container that is not alive any more is restarted, if its restart policy is not `no`. Default: the HEALTHCHECK of
   * the image, if it has one.
   */
  liveness?: Probe;
  /** Says when a container can do its work. A replacement waits for it, or else for `liveness`. */
  readiness?: Probe;
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
  /**
   * Why it is not running, in words: `exited`, `killed by SIGKILL`, `out of memory (limit 64 MiB)` ... While it runs:
   * what a probe found wrong, or null.
   */
  reason: string | null;
  ports: PublishedPort[];
  /** What hosts of the fog find it by, and the TCP port in the container; null for none. */
  service: { name: string; port: number } | null;
  /** Its address on the bridge while it runs there. */
  address: string | null;
  /** By its probes; `none` when it has none or does not run. */
  health: 'none' | 'starting' | 'healthy' | 'unhealthy';
  /** How often its restart policy started it again since its deploy. */
  restarts: number;
  /** Set when a newer version was deployed in its place, failed, and this one was kept: why, and when (ISO 8601). */
  rolledBack: { code: string; message: string; time: string } | null;
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
  /** The text is a piece of a very long line, whose next piece follows. */
  goesOn?: true;
}

/** A place in a log behind a line: the time that the line carries, and how many lines of that time came up to it. */
export interface LogMark {
  time: string;
  lines: number;
}

export interface LogOptions extends LongCall {
  /** Go on with new lines until the container is removed, or until the signal fires: then what is there still comes. */
  follow?: boolean;
  /** Only the last n lines of what is there. */
  tail?: number | undefined;
  /** Only lines written after this time (ISO 8601). */
  since?: string;
  /** Only lines that come after this place, whatever the clock of a host says that the log has moved to. */
  after?: LogMark | undefined;
}

export interface StopOptions extends LongCall {
  /** Milliseconds between the stop signal and SIGKILL. Default 10,000. */
  graceMs?: number;
}

export interface ExecOptions extends LongCall {
  /** Beside the container's own variables. */
  env?: Record<string, string>;
  /** As in the spec. Default: the container's. */
  user?: string;
  /** Default: the container's. */
  workingDirectory?: string;
  /** What the command reads. Default: nothing. */
  input?: string;
}

/** A piece of what a command writes; not always a whole line. */
export interface ExecText {
  stream: 'stdout' | 'stderr';
  text: string;
}

/** Texts, and last the status; 128 + n after signal n. */
export type ExecOutput = ExecText | { exitCode: number };

/** What root on the same machine needs to run a command in a container on its own terminal. */
export interface ExecPlan {
  id: string;
  /** runc's `--root`. */
  runtimeRoot: string;
  /** For runc's `--process`: a process of the OCI runtime specification. */
  process: Record<string, unknown>;
}

/** What a running container uses. What this kernel or network does not tell is null. */
export interface ContainerStats {
  name: string;
  /** ISO 8601. */
  time: string;
  /** Since its start, all cores together. */
  cpuSeconds: number | null;
  /** Cores in use, on average since the sample before this one, some seconds ago at most. */
  cpus: number | null;
  /** How long it had to wait for its `cpus` limit. */
  throttledSeconds: number | null;
  /** Bytes, without files that are only cached. */
  memory: number | null;
  /** Bytes; null without a limit. */
  memoryLimit: number | null;
  /** Bytes. */
  swap: number | null;
  /** With threads. */
  processes: number | null;
  processLimit: number | null;
  /** Bytes from and to block devices since its start. */
  readBytes: number | null;
  writtenBytes: number | null;
  /** Bytes of its network since its start; null on the host's network. */
  receivedBytes: number | null;
  sentBytes: number | null;
  /** Bytes that its log takes. */
  logBytes: number;
}
