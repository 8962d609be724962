import { readFile } from 'node:fs/promises';
import type { CompleteSpec } from '../spec/complete';
import {
  checkCpuSupport,
  checkIoWeightSupport,
  checkMemorySupport,
  checkPidsSupport,
  checkSwapSupport,
  countsProcesses,
  countsSwap,
  KERNEL_FOLDERS,
  type KernelFolders,
} from './limit-support';
import type { DeviceRule, RuntimeResources } from './oci';

/** Enough for any service, few enough that a fork bomb does not take the host with it. */
const PROCESS_LIMIT = 4096;
const OPEN_FILES = 1_048_576;
/** Microseconds; the kernel's own default. */
const CPU_PERIOD = 100_000;

/** @throws {MemoryLimitUnsupportedError} {LimitUnsupportedError} */
export async function containerResources(
  spec: CompleteSpec,
  devices: DeviceRule[],
  folders: KernelFolders = KERNEL_FOLDERS,
): Promise<RuntimeResources> {
  // runc adds /dev/null, tty and their like, as Docker does.
  const resources: RuntimeResources = { devices: [{ allow: false, access: 'rwm' }, ...devices] };
  const { memory, swap, pids, cpus, ioWeight } = spec;
  if (pids !== undefined) await checkPidsSupport(folders);
  if (await countsProcesses(folders)) resources.pids = { limit: pids ?? PROCESS_LIMIT };
  if (memory !== undefined) resources.memory = await memoryLimit(memory, swap, folders);
  if (cpus !== undefined) {
    await checkCpuSupport(folders);
    resources.cpu = { quota: Math.round(cpus * CPU_PERIOD), period: CPU_PERIOD };
  }
  if (ioWeight !== undefined) {
    await checkIoWeightSupport(folders);
    resources.blockIO = { weight: ioWeight };
  }
  return resources;
}

/** A container must not grow into swap in place of memory, where the kernel can count that. */
async function memoryLimit(
  limit: number,
  swap: number | undefined,
  folders: KernelFolders,
): Promise<NonNullable<RuntimeResources['memory']>> {
  await checkMemorySupport(folders);
  if (swap) await checkSwapSupport(folders);
  return (await countsSwap(folders)) ? { limit, swap: limit + (swap ?? 0) } : { limit };
}

/** As many open files as Docker gives, but never more than this process may give. */
export async function openFilesLimit(): Promise<{ type: string; soft: number; hard: number }> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const text = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1] ?? '1024';
  const hard = Math.min(text === 'unlimited' ? OPEN_FILES : Number(text), OPEN_FILES);
  return { type: 'RLIMIT_NOFILE', soft: hard, hard };
}
