import { readFile } from 'node:fs/promises';
import { exists } from '../../base';
import { MemoryLimitUnsupportedError } from '../errors';
import { cgroupVersion } from '../runtime/cgroup';
import type { CompleteSpec } from '../spec/complete';
import type { RuntimeResources } from './oci';

/** Enough for any service, few enough that a fork bomb does not take the host with it. */
const PROCESS_LIMIT = 4096;
const OPEN_FILES = 1_048_576;

/** @throws {MemoryLimitUnsupportedError} */
export async function containerResources(spec: CompleteSpec): Promise<RuntimeResources> {
  const resources: RuntimeResources = {
    // runc adds /dev/null, tty and their like, as Docker does.
    devices: [{ allow: false, access: 'rwm' }],
    pids: { limit: PROCESS_LIMIT },
  };
  if (spec.memory !== undefined) resources.memory = await memoryLimit(spec.memory);
  return resources;
}

/** The limit counts swap too, where the kernel can count it: a container must not grow into swap instead. */
async function memoryLimit(limit: number): Promise<NonNullable<RuntimeResources['memory']>> {
  if ((await cgroupVersion()) === 1) {
    if (!(await exists('/sys/fs/cgroup/memory/memory.limit_in_bytes')))
      throw new MemoryLimitUnsupportedError();
    const counted = await exists('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes');
    return counted ? { limit, swap: limit } : { limit };
  }
  const controllers = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8').catch(() => '');
  if (!controllers.split(/\s+/).includes('memory')) throw new MemoryLimitUnsupportedError();
  return { limit, swap: limit };
}

/** As many open files as Docker gives, but never more than this process may give. */
export async function openFilesLimit(): Promise<{ type: string; soft: number; hard: number }> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const text = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1] ?? '1024';
  const hard = Math.min(text === 'unlimited' ? OPEN_FILES : Number(text), OPEN_FILES);
  return { type: 'RLIMIT_NOFILE', soft: hard, hard };
}
