import { type Check, ok, warn } from '../doctor/check';
import { DISK_NAMES, diskKind, type Machine, mountOf, wears } from '../machine';

const JOURNAL_FOLDERS = ['/usr/lib/systemd/journald.conf.d', '/etc/systemd/journald.conf.d'];
const JOURNAL = '/var/log/journal';

/** journald.conf(5): the main file first, then the parts in the order of their names; the last one counts. */
async function journalStorage(machine: Machine): Promise<string> {
  const parts: [string, string][] = [];
  for (const folder of JOURNAL_FOLDERS) {
    for (const name of await machine.list(folder)) parts.push([name, `${folder}/${name}`]);
  }
  parts.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  let storage = 'auto';
  for (const path of ['/etc/systemd/journald.conf', ...parts.map(([, path]) => path)]) {
    const text = (await machine.read(path)) ?? '';
    storage = [...text.matchAll(/^\s*Storage\s*=\s*(\w+)/gm)].at(-1)?.[1]?.toLowerCase() ?? storage;
  }
  return storage;
}

export const logWrites: Check = {
  id: 'log-writes',
  area: 'tuning',
  why: 'System logs are small writes without end, which wear a card out before anything else does.',
  async look({ machine }) {
    const mount = await mountOf(machine, JOURNAL);
    if (!mount) return undefined;
    if (mount.device === undefined || mount.device.startsWith('zram'))
      return ok(`/var/log is on ${mount.type}`);
    const kind = await diskKind(machine, mount.device);
    if (!wears(kind)) return undefined;
    const storage = await journalStorage(machine);
    const persistent = storage === 'persistent' || (storage === 'auto' && (await machine.exists(JOURNAL)));
    const rsyslog = await machine.exists('/etc/systemd/system/multi-user.target.wants/rsyslog.service');
    const writers = [...(persistent ? ['the journal'] : []), ...(rsyslog ? ['rsyslog'] : [])];
    if (writers.length === 0) return ok('the journal is kept in memory');
    const advice = [
      ...(persistent
        ? ['keep the journal in memory (Storage=volatile in a file below /etc/systemd/journald.conf.d)']
        : []),
      ...(rsyslog ? ['sudo systemctl disable --now rsyslog'] : []),
    ].join('; ');
    return warn(
      `${writers.join(' and ')} on ${DISK_NAMES[kind]}`,
      `If logs need not outlive a reboot: ${advice}; or install log2ram, which writes once a day. Not changed by --fix, since logs would be gone.`,
    );
  },
};
