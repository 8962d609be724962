import type { NodeDef } from 'node-red';

/** Rows of the dialog hold text, as it was typed. */
export interface MountRow {
  /** Default `bind`. */
  type?: string;
  source?: string;
  target: string;
  readOnly?: boolean;
  /** tmpfs: the most that it holds, such as `64m`. */
  size?: string;
}

export interface PortRow {
  hostPort: string | number;
  containerPort: string | number;
  /** Default `tcp`. */
  protocol?: string;
  /** Default: all of the host's addresses. */
  hostAddress?: string;
}

export interface DeviceRow {
  source: string;
  target?: string;
  /** Of `r`, `w`, `m`. Default `rw`. */
  permissions?: string;
}

export interface NameValueRow {
  key: string;
  value: string;
}

/** The probe of one kind: each property of the dialog begins with `liveness` or `readiness`. */
type ProbeFields<Kind extends string> = {
  /** `http`, `tcp` or `exec`; empty for none. The question itself is in `...Target`. */
  [Field in
    | ''
    | 'Target'
    | 'Interval'
    | 'Timeout'
    | 'Failures'
    | 'StartPeriod' as `${Kind}${Field}`]?: string;
};

/** What the dialog stores. Everything but the image may be absent: flows outlive versions of this package. */
export interface DeployContainerDef extends NodeDef, ProbeFields<'liveness'>, ProbeFields<'readiness'> {
  /** Id of a fog-host; empty for the default host. */
  host?: string;
  image?: string;
  /** `str`: `image` is the reference; `msg`: it is the message property that holds it. */
  imageType?: 'str' | 'msg';
  pull?: string;
  command?: string;
  env?: NameValueRow[];
  /** Deploy when the flow starts. Default true. */
  start?: boolean;
  /** Send log lines to the second output. Default false. */
  logs?: boolean;
  /** Remove the containers when the node is deleted. Default true. */
  removeOnDelete?: boolean;
  /** Absent: `host`, which was the only network when the first flows were saved. */
  network?: string;
  ports?: PortRow[];
  hostname?: string;
  service?: string;
  servicePort?: string;
  /** How many instances of the service; empty for the one of this host. */
  replicas?: string;
  /** Separated by commas or spaces. */
  sites?: string;
  extraHosts?: NameValueRow[];
  memory?: string;
  swap?: string;
  cpus?: string;
  pids?: string;
  ioWeight?: string;
  mounts?: MountRow[];
  devices?: DeviceRow[];
  readOnlyRoot?: boolean;
  restart?: string;
  restartRetries?: string;
  user?: string;
  /** Separated by commas or spaces, as are the capabilities. */
  groups?: string;
  workingDirectory?: string;
  entrypoint?: string;
  labels?: NameValueRow[];
  capabilitiesAdd?: string;
  capabilitiesDrop?: string;
  privileged?: boolean;
}
