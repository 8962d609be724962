import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { exists } from '../../base';

const ROOT = '/sys/fs/cgroup';

/** 2 is the unified hierarchy; hybrid set-ups count as 1, as runc sees them. */
export async function cgroupVersion(): Promise<1 | 2> {
  return (await exists(`${ROOT}/cgroup.controllers`)) ? 2 : 1;
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
  for (const hierarchy of [ROOT, `${ROOT}/unified`, `${ROOT}/systemd`]) {
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

/** How often the kernel killed a process of the container because its memory ran out. */
export async function outOfMemoryKills(id: string): Promise<number> {
  const files = [
    `${ROOT}/memory${cgroupPath(id)}/memory.oom_control`,
    `${ROOT}${cgroupPath(id)}/memory.events`,
  ];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const kills = /^oom_kill (\d+)$/m.exec(text)?.[1];
    if (kills) return Number(kills);
  }
  return 0;
}
