import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../../base';

/** Where the kernel's cgroups are mounted. Functions that only read take another folder, for tests. */
export const CGROUP_ROOT = '/sys/fs/cgroup';

/** 2 is the unified hierarchy; hybrid set-ups count as 1, as runc sees them. */
export async function cgroupVersion(root = CGROUP_ROOT): Promise<1 | 2> {
  return (await exists(`${root}/cgroup.controllers`)) ? 2 : 1;
}

/** The cgroup of a container, as OCI runtime-spec's cgroupsPath. */
export function cgroupPath(id: string): string {
  return `/garua/${id}`;
}

/**
 * Moves a monitor out of the cgroup of the process that started it. Without this, systemd would kill it together
 * with the service (Node-RED, say) that it is to outlive. Where cgroups cannot be written it stays.
 */
export async function moveToMonitors(pid: number): Promise<void> {
  for (const hierarchy of [CGROUP_ROOT, `${CGROUP_ROOT}/unified`, `${CGROUP_ROOT}/systemd`]) {
    if (!(await exists(`${hierarchy}/cgroup.procs`))) continue;
    const group = `${hierarchy}/garua/monitors`;
    try {
      await mkdir(group, { recursive: true });
      await writeFile(`${group}/cgroup.procs`, String(pid));
    } catch {
      // Read-only, as in a container.
    }
  }
}

/** Takes Garua's own cgroups away, but for those that still have processes in them. */
export async function removeCgroups(root = CGROUP_ROOT): Promise<void> {
  const hierarchies = (await cgroupVersion(root)) === 2 ? [''] : await readdir(root).catch(() => []);
  for (const hierarchy of hierarchies) {
    const own = join(root, hierarchy, 'garua');
    const entries = await readdir(own, { withFileTypes: true }).catch(() => []);
    const groups = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(own, name));
    for (const group of [...groups, own]) await rmdir(group).catch(() => {});
  }
}

/** How often the kernel killed a process of the container because its memory ran out. */
export async function outOfMemoryKills(id: string, root = CGROUP_ROOT): Promise<number> {
  const files = [
    `${root}/memory${cgroupPath(id)}/memory.oom_control`,
    `${root}${cgroupPath(id)}/memory.events`,
  ];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const kills = /^oom_kill (\d+)$/m.exec(text)?.[1];
    if (kills) return Number(kills);
  }
  return 0;
}

/** A container's limit of processes, and how often the kernel has refused it one more; undefined without a limit. */
export async function processLimit(
  id: string,
  root = CGROUP_ROOT,
): Promise<{ limit: number; refusals: number } | undefined> {
  for (const folder of [`${root}/pids${cgroupPath(id)}`, `${root}${cgroupPath(id)}`]) {
    const limit = Number(await readFile(`${folder}/pids.max`, 'utf8').catch(() => Number.NaN));
    if (!(limit > 0)) continue;
    const events = await readFile(`${folder}/pids.events`, 'utf8').catch(() => '');
    return { limit, refusals: Number(/^max (\d+)$/m.exec(events)?.[1] ?? 0) };
  }
  return undefined;
}

/** Bytes; undefined when the container has no limit, or no cgroup any more. */
export async function memoryLimitOf(id: string, root = CGROUP_ROOT): Promise<number | undefined> {
  const files = [
    `${root}/memory${cgroupPath(id)}/memory.limit_in_bytes`,
    `${root}${cgroupPath(id)}/memory.max`,
  ];
  for (const file of files) {
    const limit = Number(await readFile(file, 'utf8').catch(() => Number.NaN));
    // Without a limit version 1 says a number near 2^63, version 2 `max`.
    if (limit > 0 && limit < 2 ** 60) return limit;
  }
  return undefined;
}
