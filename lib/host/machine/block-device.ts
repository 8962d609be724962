import type { Machine } from './machine';

/**
 * What a file system lies on. `sd`: an SD card, or eMMC, which wears like one; `usb-flash`: a removable USB
 * disk; `other`: a virtual or network device that does not say.
 */
export type DiskKind = 'sd' | 'usb-flash' | 'ssd' | 'hard-disk' | 'zram' | 'other';

export interface Mount {
  point: string;
  type: string;
  /** Of the mount and of the file system together, such as `rw`, `noatime`, `data=ordered`. */
  options: string[];
  /** The partition's or disk's name in the kernel, such as `mmcblk0p2`; undefined for what is on no disk. */
  device: string | undefined;
}

/** The mount that holds a path (proc_pid_mountinfo(5)); undefined when the kernel shows none. */
export async function mountOf(machine: Machine, path: string): Promise<Mount | undefined> {
  let found: string[] | undefined;
  let depth = -1;
  for (const line of ((await machine.read('/proc/self/mountinfo')) ?? '').split('\n')) {
    const fields = line.split(' ');
    const point = fields[4]?.replace(/\\040/g, ' ');
    if (point === undefined) continue;
    const holds = point === '/' || path === point || path.startsWith(`${point}/`);
    // Of two mounts on one point, the later hides the earlier.
    if (!holds || point.length < depth) continue;
    [found, depth] = [fields, point.length];
  }
  if (!found) return undefined;
  const separator = found.indexOf('-');
  const [type = '', source = '', superOptions = ''] = found.slice(separator + 1);
  const uevent = await machine.read(`/sys/dev/block/${found[2]}/uevent`);
  const device = /^DEVNAME=(.+)$/m.exec(uevent ?? '')?.[1] ?? /^\/dev\/(\w+)$/.exec(source)?.[1];
  const options = [...new Set([...found[5]!.split(','), ...superOptions.split(',')])];
  return { point: found[4]!, type, options, device };
}

/** The disk that a partition is part of: `mmcblk0` for `mmcblk0p2`, `sda` for `sda1`. */
export function diskOf(device: string): string {
  return device
    .replace(/^((?:mmcblk|nvme\d+n|loop|nbd)\d+)p\d+$/, '$1')
    .replace(/^([shvx]v?d[a-z]+)\d+$/, '$1');
}

export async function diskKind(machine: Machine, device: string): Promise<DiskKind> {
  const disk = diskOf(device);
  if (disk.startsWith('zram')) return 'zram';
  if (disk.startsWith('mmcblk')) return 'sd';
  if (disk.startsWith('vd') || disk.startsWith('loop') || disk.startsWith('nbd')) return 'other';
  const value = async (name: string) => (await machine.read(`/sys/block/${disk}/${name}`))?.trim();
  if ((await value('queue/rotational')) === '1') return 'hard-disk';
  if ((await value('removable')) === '1') return 'usb-flash';
  return (await value('queue/rotational')) === '0' ? 'ssd' : 'other';
}

/** In words. */
export const DISK_NAMES: Record<DiskKind, string> = {
  sd: 'an SD card',
  'usb-flash': 'a USB stick',
  ssd: 'an SSD',
  'hard-disk': 'a hard disk',
  zram: 'zram',
  other: 'another disk',
};

/** Whether many small writes wear it out in months. */
export function wears(kind: DiskKind): boolean {
  return kind === 'sd' || kind === 'usb-flash';
}

/** What is swapped to, as /proc/swaps says; empty without swap. */
export async function swaps(machine: Machine): Promise<{ path: string; bytes: number; kind: DiskKind }[]> {
  const lines = ((await machine.read('/proc/swaps')) ?? '').split('\n').slice(1);
  const found = lines.flatMap((line) => {
    const [path, type, size] = line.split(/\s+/);
    return path && size ? [{ path, type, bytes: Number(size) * 1024 }] : [];
  });
  return Promise.all(
    found.map(async ({ path, type, bytes }) => {
      const device = type === 'file' ? (await mountOf(machine, path))?.device : path.replace(/^\/dev\//, '');
      return { path, bytes, kind: device === undefined ? 'other' : await diskKind(machine, device) };
    }),
  );
}

/** A line of /proc/meminfo, in bytes. */
export async function memoryValue(machine: Machine, name: string): Promise<number | undefined> {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec((await machine.read('/proc/meminfo')) ?? '');
  return match ? Number(match[1]) * 1024 : undefined;
}

/** Such as `Raspberry Pi 4 Model B Rev 1.4`; undefined on a machine without a device tree. */
export async function boardModel(machine: Machine): Promise<string | undefined> {
  return (await machine.read('/proc/device-tree/model'))?.replace(/\0+$/, '');
}

export async function isRaspberryPi(machine: Machine): Promise<boolean> {
  return (await boardModel(machine))?.startsWith('Raspberry Pi') ?? false;
}
