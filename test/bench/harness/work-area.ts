import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import type { Cleanup } from './cleanup';

/** Where a puller keeps its data: this machine's disk, or memory, which shows the work without the disk. */
export type Storage = 'disk' | 'tmpfs';

const FOLDERS: Record<Storage, string> = {
  disk: join(tmpdir(), 'garua-bench'),
  tmpfs: '/dev/shm/garua-bench',
};

/** The temporary folders of a run. One run at a time; what a killed one left behind is removed first. */
export class WorkArea {
  static async open(cleanup: Cleanup): Promise<WorkArea> {
    const owner = join(FOLDERS.disk, 'pid');
    if (existsSync(owner) && isAlive(Number(readFileSync(owner, 'utf8')))) {
      throw new Error(`another benchmark runs (process ${readFileSync(owner, 'utf8').trim()})`);
    }
    const area = new WorkArea();
    await area.remove();
    for (const folder of Object.values(FOLDERS)) mkdirSync(folder, { recursive: true });
    writeFileSync(owner, `${process.pid}\n`);
    cleanup.defer('temporary folders', () => area.remove());
    return area;
  }

  folder(storage: Storage, ...parts: string[]): string {
    const folder = join(FOLDERS[storage], ...parts);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Ends the processes that live in the folders, and removes the folders with all mounts inside. */
  async remove(): Promise<void> {
    for (const folder of Object.values(FOLDERS)) {
      killUsers(folder);
      await removeTree(folder);
    }
  }
}

/** Removes a folder and everything mounted inside. */
export async function removeTree(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path === folder || path.startsWith(`${folder}/`));
  for (const mount of mounts.reverse()) await execute('umount', ['-l', mount], { allowFailure: true });
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Our daemons carry their folder on the command line; nobody else's does. */
function killUsers(folder: string): void {
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!pid || pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${folder}/`)) continue;
      if (readlinkSync(`/proc/${pid}/exe`)) process.kill(pid, 'SIGKILL');
    } catch {
      // Gone in the meantime.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch {
    return false;
  }
}
