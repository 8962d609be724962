import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { exists } from '../../base';
import { LimitUnsupportedError, MemoryLimitUnsupportedError } from '../errors';
import { CGROUP_ROOT, cgroupVersion } from '../runtime/cgroup';

/** Where the kernel shows its cgroups and disks; other folders in tests. */
export interface KernelFolders {
  cgroups: string;
  disks: string;
}

export const KERNEL_FOLDERS: KernelFolders = { cgroups: CGROUP_ROOT, disks: '/sys/block' };

const KERNEL_HINT = 'Use a kernel that has it (the distribution’s own usually do), or leave the limit out.';

/** In version 1 the root groups of these controllers have all files; of the others those below have to be asked. */
const COMPLETE_ROOTS = ['memory', 'cpu'];

/** Whether this kernel has a controller's file, named as in version 1 and 2 of cgroups; '': it has none there. */
async function hasFile(folders: KernelFolders, controller: string, v1: string, v2: string): Promise<boolean> {
  const { cgroups } = folders;
  if ((await cgroupVersion(cgroups)) === 1) return v1 !== '' && hasFileV1(join(cgroups, controller), v1);
  const controllers = await readFile(join(cgroups, 'cgroup.controllers'), 'utf8').catch(() => '');
  return v2 !== '' && controllers.split(/\s+/).includes(controller) && hasFileV2(cgroups, controller, v2);
}

async function hasFileV1(hierarchy: string, file: string): Promise<boolean> {
  if (!(await exists(hierarchy))) return false;
  if (await exists(join(hierarchy, file))) return true;
  if (COMPLETE_ROOTS.includes(basename(hierarchy))) return false;
  const [group] = await subgroups(hierarchy);
  return group === undefined || exists(join(group, file));
}

/** A group that has the controller shows its files; where none has, nobody can tell before runc tries. */
async function hasFileV2(root: string, controller: string, file: string): Promise<boolean> {
  for (const group of await subgroups(root)) {
    const controllers = await readFile(join(group, 'cgroup.controllers'), 'utf8').catch(() => '');
    if (controllers.split(/\s+/).includes(controller)) return exists(join(group, file));
  }
  return true;
}

async function subgroups(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

/** @throws {MemoryLimitUnsupportedError} */
export async function checkMemorySupport(folders: KernelFolders): Promise<void> {
  if (!(await hasFile(folders, 'memory', 'memory.limit_in_bytes', 'memory.max'))) {
    throw new MemoryLimitUnsupportedError();
  }
}

/** Whether the kernel counts what a container has swapped out. */
export function countsSwap(folders: KernelFolders): Promise<boolean> {
  return hasFile(folders, 'memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max');
}

export function countsProcesses(folders: KernelFolders): Promise<boolean> {
  return hasFile(folders, 'pids', 'pids.max', 'pids.max');
}

/** @throws {LimitUnsupportedError} */
export async function checkPidsSupport(folders: KernelFolders): Promise<void> {
  if (await countsProcesses(folders)) return;
  throw new LimitUnsupportedError('pids', 'this kernel runs without the pids cgroup', KERNEL_HINT);
}

/** @throws {LimitUnsupportedError} */
export async function checkSwapSupport(folders: KernelFolders): Promise<void> {
  if (await countsSwap(folders)) return;
  throw new LimitUnsupportedError(
    'swap',
    'this kernel does not count swap, so it cannot be limited',
    'Add swapaccount=1 to the kernel’s command line and reboot, or leave swap out.',
  );
}

/** @throws {LimitUnsupportedError} */
export async function checkCpuSupport(folders: KernelFolders): Promise<void> {
  if (await hasFile(folders, 'cpu', 'cpu.cfs_quota_us', 'cpu.max')) return;
  throw new LimitUnsupportedError(
    'cpus',
    'this kernel cannot limit processor time (CONFIG_CFS_BANDWIDTH, the cpu cgroup)',
    KERNEL_HINT,
  );
}

/**
 * A weight counts only where the disk's scheduler looks at it: bfq, or in version 2 also the io.cost controller.
 * Without one of them it would be taken and do nothing.
 *
 * @throws {LimitUnsupportedError}
 */
export async function checkIoWeightSupport(folders: KernelFolders): Promise<void> {
  const known =
    (await hasFile(folders, 'blkio', 'blkio.weight', '')) ||
    (await hasFile(folders, 'blkio', 'blkio.bfq.weight', '')) ||
    (await hasFile(folders, 'io', '', 'io.bfq.weight')) ||
    (await hasFile(folders, 'io', '', 'io.weight'));
  if (!known) {
    throw new LimitUnsupportedError(
      'ioWeight',
      'this kernel cannot weigh disk access (CONFIG_BFQ_GROUP_IOSCHED, the io cgroup)',
      KERNEL_HINT,
    );
  }
  if ((await usesCostModel(folders)) || (await bfqDisks(folders)).length > 0) return;
  throw new LimitUnsupportedError(
    'ioWeight',
    'no disk of this host uses an IO scheduler that knows weights, so it would do nothing',
    'Choose bfq for the disk (echo bfq > /sys/block/DISK/queue/scheduler), or leave ioWeight out.',
  );
}

async function usesCostModel({ cgroups }: KernelFolders): Promise<boolean> {
  const text = await readFile(join(cgroups, 'io.cost.qos'), 'utf8').catch(() => '');
  return /\benable=1\b/.test(text);
}

async function bfqDisks({ disks }: KernelFolders): Promise<string[]> {
  const names = await readdir(disks).catch(() => []);
  const schedulers = await Promise.all(
    names.map((name) => readFile(join(disks, name, 'queue/scheduler'), 'utf8').catch(() => '')),
  );
  return names.filter((_, index) => /\[(bfq|cfq)\]/.test(schedulers[index]!));
}
