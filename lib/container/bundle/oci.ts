/** The parts of OCI runtime-spec 1.0.2, config.md and config-linux.md, that this engine writes. */
export interface RuntimeConfig {
  ociVersion: '1.0.2';
  hostname: string;
  root: { path: string; readonly: boolean };
  process: RuntimeProcess;
  mounts: RuntimeMount[];
  annotations: Record<string, string>;
  linux: {
    namespaces: { type: string; path?: string }[];
    cgroupsPath: string;
    resources: RuntimeResources;
    sysctl: Record<string, string>;
    devices: RuntimeDevice[];
    maskedPaths: string[];
    readonlyPaths: string[];
    /** Absent: no filter. */
    seccomp?: Seccomp;
  };
}

export interface RuntimeProcess {
  terminal: false;
  user: { uid: number; gid: number; additionalGids: number[]; umask: number };
  args: string[];
  env: string[];
  cwd: string;
  capabilities: Record<'bounding' | 'effective' | 'permitted', string[]>;
  rlimits: { type: string; soft: number; hard: number }[];
  noNewPrivileges: boolean;
}

export interface RuntimeMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

/** A node that is made in the container. */
export interface RuntimeDevice {
  path: string;
  type: 'c' | 'b';
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

/** Absent type and numbers stand for all. */
export interface DeviceRule {
  allow: boolean;
  access: string;
  type?: 'c' | 'b';
  major?: number;
  minor?: number;
}

export interface RuntimeResources {
  devices: DeviceRule[];
  /** `swap` is the limit of memory and swap together. */
  memory?: { limit: number; swap?: number };
  pids?: { limit: number };
  /** Microseconds. */
  cpu?: { quota: number; period: number };
  /** 10 to 1000; runc converts it for cgroup version 2. */
  blockIO?: { weight: number };
}

export interface Seccomp {
  defaultAction: string;
  defaultErrnoRet: number;
  architectures: string[];
  syscalls: SeccompRule[];
}

export interface SeccompRule {
  names: string[];
  action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  errnoRet?: number;
  args?: { index: number; value: number; valueTwo?: number; op: string }[];
}
