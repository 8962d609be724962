import { formatSize } from '../../base';
import type { Check, CheckResult } from './check';

/** Below this an ordinary image does not fit. */
const LITTLE_SPACE = 1e9;

const architecture: Check = ({ architecture }) => {
  const supported = architecture === 'x64' || architecture === 'arm64';
  return {
    id: 'architecture',
    status: supported ? 'ok' : 'fail',
    detail: architecture,
    why: 'Garua runs on 64-bit ARM and x86 only.',
    fix: supported ? undefined : 'Install the 64-bit version of the operating system.',
  };
};

const root: Check = ({ userId }) => ({
  id: 'root',
  status: userId === 0 ? 'ok' : 'warn',
  detail: userId === 0 ? 'running as root' : `running as user ${userId}`,
  why: 'Unpacking layers with their owners and starting containers needs root.',
  fix: userId === 0 ? undefined : 'Run it with sudo.',
});

function program(name: string, debianPackage: string, why: string, missing: CheckResult['status']): Check {
  return ({ which }) => {
    const found = which(name);
    if (found?.onPath) return { id: name, status: 'ok', detail: found.path, why };
    return {
      id: name,
      status: missing,
      detail: found ? `installed at ${found.path}, which is not on PATH` : 'not installed',
      why,
      fix: found ? 'Run it as root, whose PATH has that folder.' : `apt-get install ${debianPackage}`,
    };
  };
}

const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];
const CNI_PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap'];

const bridge: Check = ({ exists, which }) => {
  const missing = CNI_PLUGINS.filter(
    (plugin) => !CNI_FOLDERS.some((folder) => exists(`${folder}/${plugin}`)),
  );
  if (!which('iptables')?.onPath) missing.push('iptables');
  return {
    id: 'bridge',
    status: missing.length > 0 ? 'warn' : 'ok',
    detail: missing.length > 0 ? `missing: ${missing.join(', ')}` : 'CNI plugins and iptables are there',
    why: 'Containers get a network of their own and published ports through them; --net host needs none.',
    fix: missing.length > 0 ? 'apt-get install containernetworking-plugins iptables' : undefined,
  };
};

const overlay: Check = ({ read }) => {
  const loaded = /\boverlay\b/.test(read('/proc/filesystems') ?? '');
  const release = (read('/proc/sys/kernel/osrelease') ?? '').trim();
  const module = /\/overlay\.ko/.test(read(`/lib/modules/${release}/modules.dep`) ?? '');
  return {
    id: 'overlay',
    status: loaded || module ? 'ok' : 'fail',
    detail: loaded ? 'in the kernel' : module ? 'a module that is loaded when needed' : 'not in this kernel',
    why: 'A container sees its image layers and its own changes as one tree through overlayfs.',
    fix:
      loaded || module ? undefined : 'Use a kernel with CONFIG_OVERLAY_FS, such as the distribution’s own.',
  };
};

const memoryCgroup: Check = ({ read }) => {
  const version2 = read('/sys/fs/cgroup/cgroup.controllers');
  const version1 = /^memory\s+\d+\s+\d+\s+1/m.test(read('/proc/cgroups') ?? '');
  const enabled = version2?.trim() ? /\bmemory\b/.test(version2) : version1;
  return {
    id: 'memory-cgroup',
    status: enabled ? 'ok' : 'warn',
    detail: enabled ? `cgroup v${version2 ? 2 : 1}` : 'the memory controller is off',
    why: 'Memory limits of containers work only with it.',
    fix: enabled
      ? undefined
      : 'Add cgroup_enable=memory cgroup_memory=1 to the kernel command line and reboot.',
  };
};

function space(folder: string): Check {
  return ({ freeSpace }) => {
    const free = freeSpace(folder);
    return {
      id: 'space',
      status: free < LITTLE_SPACE ? 'warn' : 'ok',
      detail: `${formatSize(free)} free for ${folder}`,
      why: 'Images and the files of containers are kept there.',
      fix:
        free < LITTLE_SPACE
          ? 'garua prune removes what is not used; or choose another disk with --data.'
          : undefined,
    };
  };
}

/** All checks, for a host that keeps its state in the folder. */
export function checksFor(dataDirectory: string): Check[] {
  return [
    architecture,
    root,
    program('runc', 'runc', 'It starts containers.', 'fail'),
    program(
      'conmon',
      'conmon',
      'It keeps a container’s output and exit status, also without Node-RED.',
      'fail',
    ),
    bridge,
    overlay,
    memoryCgroup,
    space(dataDirectory),
  ];
}
