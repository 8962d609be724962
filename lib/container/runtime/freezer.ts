import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { FreezeFailedError } from '../errors';
import { CGROUP_ROOT, cgroupPath, cgroupVersion } from './cgroup';

/** A process that hangs in the kernel, on a dead NFS server for example, stops only when that answers. */
const FREEZE_LIMIT_MS = 10_000;
const LOOK_MS = 1;

/**
 * Stops all processes of a container where they are (kernel, cgroup-v1/freezer-subsystem and cgroup-v2, cgroup.freeze).
 *
 * @throws {FreezeFailedError} then it runs
 */
export async function freeze(id: string, name: string): Promise<void> {
  try {
    await set(id, true);
    const deadline = performance.now() + FREEZE_LIMIT_MS;
    while (!(await isFrozen(id))) {
      if (performance.now() > deadline) throw new Error('a process of it hangs in the kernel');
      await delay(LOOK_MS);
    }
  } catch (cause) {
    await thaw(id).catch(() => {});
    throw new FreezeFailedError(name, (cause as Error).message, { cause });
  }
}

/** Lets them go on. Harmless when it is not frozen, or has ended. */
export async function thaw(id: string): Promise<void> {
  await set(id, false).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENODEV') throw error;
  });
}

export async function isFrozen(id: string): Promise<boolean> {
  if ((await cgroupVersion()) === 1) {
    return (await readFile(`${freezerGroup(id)}/freezer.state`, 'utf8')).trim() === 'FROZEN';
  }
  return /^frozen 1$/m.test(await readFile(`${unifiedGroup(id)}/cgroup.events`, 'utf8'));
}

/** The processes of a container as this host numbers them, in the order of its cgroup; none when it has ended. */
export async function processesOf(id: string): Promise<number[]> {
  const group = (await cgroupVersion()) === 1 ? freezerGroup(id) : unifiedGroup(id);
  const text = await readFile(`${group}/cgroup.procs`, 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).map(Number);
}

async function set(id: string, frozen: boolean): Promise<void> {
  if ((await cgroupVersion()) === 1) {
    await writeFile(`${freezerGroup(id)}/freezer.state`, frozen ? 'FROZEN' : 'THAWED', { flag: 'r+' });
  } else {
    await writeFile(`${unifiedGroup(id)}/cgroup.freeze`, frozen ? '1' : '0', { flag: 'r+' });
  }
}

function freezerGroup(id: string): string {
  return `${CGROUP_ROOT}/freezer${cgroupPath(id)}`;
}

function unifiedGroup(id: string): string {
  return `${CGROUP_ROOT}${cgroupPath(id)}`;
}
