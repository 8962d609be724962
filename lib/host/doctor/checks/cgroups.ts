import type { Machine } from '../../machine';
import { isRaspberryPi } from '../../machine';
import { enableMemoryCgroup } from '../../tuning/kernel-command-line';
import { type Check, fail, ok, warn } from '../check';

/** What the limits of containers are made of, by its name in version 1; undefined: always there in version 2. */
const CONTROLLERS: { name: string; version2?: string; limit: string }[] = [
  { name: 'cpu', version2: 'cpu', limit: 'cpus' },
  { name: 'pids', version2: 'pids', limit: 'pids' },
  { name: 'blkio', version2: 'io', limit: 'io weight' },
  { name: 'devices', limit: 'devices' },
  { name: 'freezer', limit: 'pause' },
];

interface Cgroups {
  version: 1 | 2;
  has(controller: string): boolean;
}

/** The unified hierarchy where it is mounted at the top, else the controllers of version 1. */
async function cgroups(machine: Machine): Promise<Cgroups | undefined> {
  const unified = await machine.read('/sys/fs/cgroup/cgroup.controllers');
  if (unified !== undefined) {
    const names = new Set(unified.trim().split(/\s+/));
    return { version: 2, has: (name) => names.has(name) };
  }
  const table = await machine.read('/proc/cgroups');
  if (table === undefined) return undefined;
  const enabled = new Set([...table.matchAll(/^(\w+)\s+\d+\s+\d+\s+1$/gm)].map(([, name]) => name!));
  return { version: 1, has: (name) => enabled.has(name) };
}

export const controllers: Check = {
  id: 'cgroups',
  area: 'kernel',
  why: 'Limits of processor, processes and disk, and the access to devices, are made of them.',
  async look({ machine }) {
    const found = await cgroups(machine);
    if (!found) return fail('this kernel has no cgroups', 'Use the distribution’s own kernel.');
    const missing = CONTROLLERS.filter(({ name, version2 }) =>
      found.version === 1 ? !found.has(name) : version2 !== undefined && !found.has(version2),
    );
    if (missing.length === 0) return ok(`cgroup v${found.version}`);
    const names = missing.map(({ name, limit }) => `${name} (${limit})`).join(', ');
    return warn(
      `cgroup v${found.version} without ${names}`,
      'Take what disables them from the kernel command line, or use the distribution’s own kernel.',
    );
  },
};

export const memoryCgroup: Check = {
  id: 'memory-cgroup',
  area: 'kernel',
  why: 'Memory limits of containers work only with it: without it, one leak takes the whole machine down.',
  async look({ machine }) {
    const found = await cgroups(machine);
    if (found?.has('memory')) return ok(`cgroup v${found.version}`);
    const byHand = 'Add cgroup_enable=memory cgroup_memory=1 to the kernel command line and reboot.';
    if (!(await isRaspberryPi(machine))) return warn('the memory controller is off', byHand);
    return enableMemoryCgroup(machine);
  },
};
