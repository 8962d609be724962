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
    maskedPaths: string[];
    readonlyPaths: string[];
    seccomp: Seccomp;
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
  noNewPrivileges: true;
}

export interface RuntimeMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

export interface RuntimeResources {
  devices: { allow: boolean; access: string }[];
  memory?: { limit: number; swap?: number };
  pids: { limit: number };
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
