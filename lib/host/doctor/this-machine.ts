import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import type { Machine } from './check';

/** Daemons' programs lie there, also when a user's PATH leaves it out. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  architecture: arch(),
  userId: process.getuid?.() ?? -1,
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
  exists: existsSync,
  which(program) {
    const find = (folders: string[]) => folders.map((folder) => join(folder, program)).find(isExecutable);
    const found = find((process.env.PATH ?? '').split(':'));
    if (found) return { path: found, onPath: true };
    const elsewhere = find(SYSTEM_FOLDERS);
    return elsewhere ? { path: elsewhere, onPath: false } : undefined;
  },
  freeSpace(path) {
    for (let folder = path; ; folder = dirname(folder)) {
      try {
        const { bavail, bsize } = statfsSync(folder);
        return bavail * bsize;
      } catch (error) {
        // The folder is yet to be made: its parent's file system will hold it.
        if (folder === dirname(folder)) throw error;
      }
    }
  },
};

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
