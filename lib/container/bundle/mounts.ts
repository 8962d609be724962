import { readdir, realpath } from 'node:fs/promises';
import { exists } from '../../base';
import { MountSourceMissingError } from '../errors';
import type { Policy } from '../policy';
import type { CompleteSpec } from '../spec/complete';
import type { CompleteMount } from '../spec/mounts';
import { kernelIsAtLeast } from './kernel';
import type { RuntimeMount } from './oci';

/** The pseudo file systems that Docker gives every Linux container. */
function systemMounts(privileged: boolean): RuntimeMount[] {
  const access = privileged ? 'rw' : 'ro';
  return [
    virtual('/proc', 'proc', 'proc', 'nosuid,noexec,nodev'),
    virtual('/dev', 'tmpfs', 'tmpfs', 'nosuid,strictatime,mode=755,size=65536k'),
    virtual('/dev/pts', 'devpts', 'devpts', 'nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5'),
    virtual('/dev/shm', 'tmpfs', 'shm', 'nosuid,noexec,nodev,mode=1777,size=65536k'),
    virtual('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid,noexec,nodev'),
    virtual('/sys', 'sysfs', 'sysfs', `nosuid,noexec,nodev,${access}`),
    virtual('/sys/fs/cgroup', 'cgroup', 'cgroup', `nosuid,noexec,nodev,relatime,${access}`),
  ];
}

/** Kernel interfaces that leak what the host does, or let a container change it. */
const MASKED_PATHS = [
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
const PROCESSOR = /^cpu\d+$/;
const PROCESSOR_FOLDER = '/sys/devices/system/cpu';

/** How often each processor was too hot, where it says so, tells what others compute. */
export async function maskedPaths(): Promise<string[]> {
  if (!(await exists(`${PROCESSOR_FOLDER}/cpu0/thermal_throttle`))) return MASKED_PATHS;
  const names = (await readdir(PROCESSOR_FOLDER)).filter((name) => PROCESSOR.test(name));
  return [...MASKED_PATHS, ...names.map((name) => `${PROCESSOR_FOLDER}/${name}/thermal_throttle`)];
}

export const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** Files of the host, by their place in the container. */
export type GeneratedFiles = Record<string, string>;

/** What of the host's files a spec's mounts stand for. */
export interface MountSources {
  policy: Policy;
  /** Answers the folder of a volume, which is made, and filled from `target` in the image, at its first use. */
  volume(name: string, target: string): Promise<string>;
}

/**
 * All mounts in the order in which they have to be made: parents first, whoever asked for them.
 *
 * @throws {MountSourceMissingError} {PolicyRefusedError}
 */
export async function containerMounts(
  spec: CompleteSpec,
  generated: GeneratedFiles,
  sources: MountSources,
): Promise<RuntimeMount[]> {
  const chosen = new Set(spec.mounts.map(({ target }) => target));
  const sealed = spec.mounts.filter(({ readOnly }) => readOnly).map(({ target }) => `${target}/`);
  const files = Object.entries(generated)
    // In a folder that was mounted read-only nothing can be made to mount them on.
    .filter(([target]) => !chosen.has(target) && !sealed.some((folder) => target.startsWith(folder)))
    .map(([target, source]) => bind(source, target, false));
  const requested: RuntimeMount[] = [];
  for (const mount of spec.mounts) requested.push(await requestedMount(mount, sources));
  const system = systemMounts(spec.privileged === true).filter(({ destination }) => !chosen.has(destination));
  return [...system, ...requested, ...files].sort((a, b) => depth(a) - depth(b));
}

async function requestedMount(mount: CompleteMount, sources: MountSources): Promise<RuntimeMount> {
  if (mount.type === 'tmpfs') return temporary(mount);
  const { source, target, readOnly } = mount;
  if (mount.type === 'volume') return bind(await sources.volume(source, target), target, readOnly);
  const resolved = await realpath(source).catch((cause) => {
    throw new MountSourceMissingError(source, target, { cause });
  });
  await sources.policy.checkMount(source, resolved);
  // The path that was judged is mounted, not the one asked for; `checkMounted` looks at what came of it.
  return bind(resolved, target, readOnly);
}

function depth({ destination }: RuntimeMount): number {
  return destination.split('/').length;
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
  return virtual(
    target,
    'tmpfs',
    'tmpfs',
    `nosuid,nodev,noexec,mode=1777,size=${size}${readOnly ? ',ro' : ''}`,
  );
}

/** mount_setattr(2) of Linux 5.12 makes what is mounted below the source read-only too. */
function recursiveReadOnly(): string[] {
  return kernelIsAtLeast(5, 12) ? ['rro'] : [];
}
