import { formatSize } from '../../base';
import { type Check, ok, warn } from '../doctor/check';
import { DISK_NAMES, diskKind, diskOf, type Machine, mountOf, wears } from '../machine';

/** The allocation unit of SD cards from 8 GB on (SD physical layer specification, section 4.13). */
const ERASE_BLOCK = 4 << 20;
const SECTOR = 512;

/** The disk that the data directory lies on, where it wears. */
async function flashDisk(machine: Machine, path: string) {
  const mount = await mountOf(machine, path);
  if (mount?.device === undefined) return undefined;
  const kind = await diskKind(machine, mount.device);
  return { mount, kind, device: mount.device, disk: diskOf(mount.device) };
}

export const alignment: Check = {
  id: 'alignment',
  area: 'tuning',
  why: 'A card erases blocks of 4 MiB: a partition that begins inside one makes writes touch two, at half the speed and twice the wear.',
  async look({ machine, dataDirectory }) {
    const found = await flashDisk(machine, dataDirectory);
    if (found?.kind !== 'sd') return undefined;
    const folder = `/sys/block/${found.disk}`;
    const preferred = Number(await machine.read(`${folder}/device/preferred_erase_size`)) || ERASE_BLOCK;
    // Some cards name sizes that are no power of two, or huge; partitions by 4 MiB are as good as it gets.
    const block = (preferred & (preferred - 1)) === 0 ? Math.min(preferred, ERASE_BLOCK) : ERASE_BLOCK;
    const partitions = (await machine.list(folder)).filter((name) => name.startsWith(`${found.disk}p`));
    const crooked: string[] = [];
    for (const name of partitions) {
      const start = Number(await machine.read(`${folder}/${name}/start`)) * SECTOR;
      if (start % block !== 0) crooked.push(`${name} at ${formatSize(start)}`);
    }
    const size = `${block / (1 << 20)} MiB`;
    if (crooked.length === 0) return ok(`all partitions of ${found.disk} begin at a multiple of ${size}`);
    return warn(
      `not at a multiple of ${size}: ${crooked.join(', ')}`,
      'Partitions cannot be moved under a running system: write the card anew with Raspberry Pi Imager, whose partitions are aligned.',
    );
  },
};

export const fileSystem: Check = {
  id: 'file-system',
  area: 'tuning',
  why: 'Noting each reading of a file, and journalling data twice, wears flash; not ordering data before its journal can leave garbage in files after a power cut.',
  async look({ machine, dataDirectory }) {
    const found = await flashDisk(machine, dataDirectory);
    if (found?.mount.type !== 'ext4' || !(wears(found.kind) || found.kind === 'ssd')) return undefined;
    const { options, point } = found.mount;
    const faults: string[] = [];
    const advice: string[] = [];
    if (!options.includes('noatime') && wears(found.kind)) {
      faults.push('each reading is noted (no noatime)');
      advice.push('add noatime');
    }
    for (const mode of ['data=journal', 'data=writeback']) {
      if (!options.includes(mode)) continue;
      faults.push(mode);
      advice.push(`take out ${mode}`);
    }
    if (options.includes('nobarrier') || options.includes('barrier=0')) {
      faults.push('no write barriers');
      advice.push('take out nobarrier');
    }
    const commit = options.find((option) => option.startsWith('commit='))?.slice('commit='.length) ?? '5';
    const detail = `ext4 on ${DISK_NAMES[found.kind]}, written every ${commit} s`;
    if (faults.length === 0) return ok(detail);
    return warn(
      `${detail}: ${faults.join(', ')}`,
      `In the options of ${point} in /etc/fstab, ${advice.join(', ')}; then reboot. Not changed by --fix, since a fault in that file keeps a machine from starting.`,
    );
  },
};

const TIMER = '/lib/systemd/system/fstrim.timer';
const ENABLED = '/etc/systemd/system/timers.target.wants/fstrim.timer';

export const trim: Check = {
  id: 'trim',
  area: 'tuning',
  why: 'A card or SSD that is told which blocks are free writes faster and lasts longer; weekly is enough, at each removal is slow.',
  async look({ machine, dataDirectory }) {
    const found = await flashDisk(machine, dataDirectory);
    if (!found || !(wears(found.kind) || found.kind === 'ssd')) return undefined;
    const granularity = await machine.read(`/sys/block/${found.disk}/queue/discard_max_bytes`);
    if (!Number(granularity)) return ok(`${found.disk} cannot be told`);
    if (found.mount.options.includes('discard')) {
      return found.kind === 'sd'
        ? warn(
            'told at each removal (discard), which is slow on cards',
            `Take discard out of the options of ${found.mount.point} in /etc/fstab, and run sudo systemctl enable --now fstrim.timer.`,
          )
        : ok('told at each removal (discard)');
    }
    if (await machine.exists(ENABLED)) return ok('told weekly (fstrim.timer)');
    if (!(await machine.exists(TIMER)) || !(await machine.exists('/run/systemd/system'))) {
      return warn('never told, and there is no fstrim.timer', 'Run sudo fstrim / once a week.');
    }
    return warn('never told', 'sudo garua doctor --fix enables fstrim.timer, which tells it weekly.', {
      what: 'enabled fstrim.timer, which tells the disk weekly what is free',
      undo: 'sudo systemctl disable --now fstrim.timer',
      edits: [],
      commands: [
        {
          run: ['systemctl', 'enable', '--now', 'fstrim.timer'],
          undo: ['systemctl', 'disable', '--now', 'fstrim.timer'],
        },
      ],
    });
  },
};
