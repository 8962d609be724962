import { access } from 'node:fs/promises';
import { release } from 'node:os';
import { MountSourceMissingError } from '../errors';
import type { CompleteSpec } from '../spec/complete';
import type { CompleteMount } from '../spec/mounts';
import type { RuntimeMount } from './oci';

/** The pseudo file systems that Docker gives every Linux container. */
const SYSTEM_MOUNTS: RuntimeMount[] = [
  virtual('/proc', 'proc', 'proc', 'nosuid,noexec,nodev'),
  virtual('/dev', 'tmpfs', 'tmpfs', 'nosuid,strictatime,mode=755,size=65536k'),
  virtual('/dev/pts', 'devpts', 'devpts', 'nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5'),
  virtual('/dev/shm', 'tmpfs', 'shm', 'nosuid,noexec,nodev,mode=1777,size=65536k'),
  virtual('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid,noexec,nodev'),
  virtual('/sys', 'sysfs', 'sysfs', 'nosuid,noexec,nodev,ro'),
  virtual('/sys/fs/cgroup', 'cgroup', 'cgroup', 'nosuid,noexec,nodev,relatime,ro'),
];

/** Kernel interfaces that leak what the host does, or let a container change it. */
export const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
export const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** Files of the host, by their place in the container. */
export type GeneratedFiles = Record<string, string>;

/**
 * All mounts in the order in which they have to be made: parents first.
 *
 * @throws {MountSourceMissingError}
 */
export async function containerMounts(
  spec: CompleteSpec,
  generated: GeneratedFiles,
): Promise<RuntimeMount[]> {
  const chosen = new Set(spec.mounts.map(({ target }) => target));
  const files = Object.entries(generated)
    .filter(([target]) => !chosen.has(target))
    .map(([target, source]) => bind(source, target, false));
  const requested = await Promise.all(
    spec.mounts.map(async (mount) => {
      if (mount.type === 'tmpfs') return temporary(mount);
      const { source, target, readOnly } = mount;
      await access(source).catch((cause) => {
        throw new MountSourceMissingError(source, target, { cause });
      });
      return bind(source, target, readOnly);
    }),
  );
  requested.sort((a, b) => a.destination.split('/').length - b.destination.split('/').length);
  return [...SYSTEM_MOUNTS.filter(({ destination }) => !chosen.has(destination)), ...files, ...requested];
}

function virtual(destination: string, type: string, source: string, options: string): RuntimeMount {
  return { destination, type, source, options: options.split(',') };
}

function bind(source: string, destination: string, readOnly: boolean): RuntimeMount {
  const options = readOnly
    ? ['rbind', 'rprivate', 'ro', ...recursiveReadOnly()]
    : ['rbind', 'rprivate', 'rw'];
  return { destination, type: 'bind', source, options };
}

function temporary({ target, size, readOnly }: Extract<CompleteMount, { type: 'tmpfs' }>): RuntimeMount {
  return virtual(target, 'tmpfs', 'tmpfs', `nosuid,nodev,mode=1777,size=${size}${readOnly ? ',ro' : ''}`);
}

/** mount_setattr(2) of Linux 5.12 makes what is mounted below the source read-only too. */
function recursiveReadOnly(): string[] {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 5 || (major === 5 && minor >= 12) ? ['rro'] : [];
}
