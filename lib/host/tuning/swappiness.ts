import { formatSize } from '../../base';
import { type Check, type Outcome, ok, warn } from '../doctor/check';
import { DISK_NAMES, type Machine, memoryValue, swaps } from '../machine';

const VALUE = '/proc/sys/vm/swappiness';
export const SYSCTL_FILE = '/etc/sysctl.d/60-garua.conf';

/**
 * Swap what is idle as readily as dropping files from the page cache. What idles is then swapped out beside the
 * work, not at the moment when some container waits for memory, and the files in use stay cached.
 */
const WANTED = 100;

/** With more memory than this, swapping is rare and the kernel's default does. */
const SMALL = 4.5e9;

const CONTENT = `# Written by garua doctor --fix; garua doctor --undo removes it.
# On a small machine, idle memory is to leave for swap early, so that files in use stay in memory.
vm.swappiness = ${WANTED}
`;

export const swappiness: Check = {
  id: 'swappiness',
  area: 'tuning',
  why: 'On a small machine 100 lets idle memory be swapped before it is needed, off the critical path, and leaves the rest to the page cache; a small value swaps only when a container already waits.',
  async look({ machine }): Promise<Outcome> {
    const text = (await machine.read(VALUE))?.trim();
    if (text === undefined) return warn('cannot tell: the kernel does not show it', 'Mount /proc.');
    const value = Number(text);
    const used = await swaps(machine);
    if (used.length === 0) return ok(`${value}, and there is no swap that it could act on`);
    const total = (await memoryValue(machine, 'MemTotal')) ?? 0;
    if (total > SMALL) return ok(`${value}, which does with ${formatSize(total)} of memory`);
    const places = [...new Set(used.map(({ kind }) => DISK_NAMES[kind]))].join(' and ');
    if (value >= WANTED) return ok(`${value}, with swap on ${places}`);
    const detail = `${value}, with swap on ${places}`;
    if (!used.every(({ kind }) => kind === 'zram' || kind === 'ssd')) {
      return warn(
        detail,
        'Not changed by --fix, since more swapping would wear the disk out or wait for it: first swap to compressed memory (apt-get install systemd-zram-generator, and turn the other swap off), then sudo garua doctor --fix.',
      );
    }
    const later = await overruling(machine);
    if (later)
      return warn(`${detail}; ${later} sets it at each start`, `Set vm.swappiness = ${WANTED} in ${later}.`);
    return warn(detail, `sudo garua doctor --fix sets it to ${WANTED}, now and at each start.`, {
      what: `set vm.swappiness to ${WANTED} (it was ${value}), and in ${SYSCTL_FILE} for each start`,
      undo: `sudo rm ${SYSCTL_FILE} && sudo sysctl -w vm.swappiness=${value}`,
      edits: [
        { path: SYSCTL_FILE, content: CONTENT, kind: 'file' },
        { path: VALUE, content: `${WANTED}\n`, kind: 'kernel' },
      ],
    });
  },
};

/** A file that sysctl reads after ours, and which sets the value too (sysctl.d(5): in the order of names). */
async function overruling(machine: Machine): Promise<string | undefined> {
  const ours = SYSCTL_FILE.split('/').at(-1)!;
  const names = (await machine.list('/etc/sysctl.d')).filter((name) => name.endsWith('.conf') && name > ours);
  for (const path of [...names.map((name) => `/etc/sysctl.d/${name}`), '/etc/sysctl.conf']) {
    if (/^\s*-?\s*vm[./]swappiness\s*=/m.test((await machine.read(path)) ?? '')) return path;
  }
  return undefined;
}
