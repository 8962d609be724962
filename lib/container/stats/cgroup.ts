import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerStats } from '../container';
import { CGROUP_ROOT, cgroupPath, cgroupVersion } from '../runtime/cgroup';

/** What a cgroup counts. */
export type CgroupUsage = Omit<
  ContainerStats,
  'name' | 'time' | 'cpus' | 'receivedBytes' | 'sentBytes' | 'logBytes'
>;

/** Without a limit version 1 says a number near 2^63. */
const UNLIMITED = 2 ** 60;

type Read = (file: string) => Promise<string>;

/** Reads a container's cgroup, of either version; null stands for what this kernel does not count. */
export async function readCgroup(id: string, root = CGROUP_ROOT): Promise<CgroupUsage> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  if ((await cgroupVersion(root)) === 2) {
    return readVersion2((file) => read(join(root, cgroupPath(id), file)));
  }
  return readVersion1(async (file) => {
    const [controller, name] = file.split('/') as [string, string];
    return read(join(root, controller, cgroupPath(id), name));
  });
}

/** Linux, Documentation/admin-guide/cgroup-v2.rst. */
async function readVersion2(read: Read): Promise<CgroupUsage> {
  const [cpu, current, stat, max, swap, pids, pidsMax, io] = await Promise.all(
    ['cpu.stat', 'memory.current', 'memory.stat', 'memory.max', 'memory.swap.current']
      .map(read)
      .concat(['pids.current', 'pids.max', 'io.stat'].map(read)),
  );
  return {
    cpuSeconds: scaled(field(cpu!, 'usage_usec'), 1e-6),
    throttledSeconds: scaled(field(cpu!, 'throttled_usec'), 1e-6),
    memory: less(number(current!), field(stat!, 'inactive_file')),
    memoryLimit: number(max!),
    swap: number(swap!),
    processes: number(pids!),
    processLimit: number(pidsMax!),
    readBytes: sum(io!, /\brbytes=(\d+)/g),
    writtenBytes: sum(io!, /\bwbytes=(\d+)/g),
  };
}

/** Linux, Documentation/admin-guide/cgroup-v1/. */
async function readVersion1(read: Read): Promise<CgroupUsage> {
  const [usage, cpu, current, stat, limit, pids, pidsMax, recursive, own] = await Promise.all(
    [
      'cpuacct/cpuacct.usage',
      'cpu/cpu.stat',
      'memory/memory.usage_in_bytes',
      'memory/memory.stat',
      'memory/memory.limit_in_bytes',
      'pids/pids.current',
      'pids/pids.max',
      'blkio/blkio.throttle.io_service_bytes_recursive',
      'blkio/blkio.throttle.io_service_bytes',
    ].map(read),
  );
  const io = recursive || own!;
  const memoryLimit = number(limit!);
  return {
    cpuSeconds: scaled(number(usage!), 1e-9),
    throttledSeconds: scaled(field(cpu!, 'throttled_time'), 1e-9),
    memory: less(number(current!), field(stat!, 'total_inactive_file')),
    memoryLimit: memoryLimit !== null && memoryLimit < UNLIMITED ? memoryLimit : null,
    swap: field(stat!, 'total_swap'),
    processes: number(pids!),
    processLimit: number(pidsMax!),
    readBytes: sum(io, /^\S+ Read (\d+)$/gm),
    writtenBytes: sum(io, /^\S+ Write (\d+)$/gm),
  };
}

/** Null for `max`, and for a file that is not there. */
function number(text: string): number | null {
  return /^\d+\s*$/.test(text) ? Number(text) : null;
}

function field(text: string, name: string): number | null {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? null : Number(value);
}

function sum(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
}

function scaled(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}

function less(value: number | null, part: number | null): number | null {
  return value === null ? null : Math.max(0, value - (part ?? 0));
}
