import { randomBytes } from 'node:crypto';
import { constants, existsSync, mkdirSync, type Stats } from 'node:fs';
import { access, mkdir, open, readlink, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A name beside `path` that no other process uses, for write-then-rename. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
}

/**
 * Replaces a file as a whole: readers see the old or the new content, also after a power cut.
 * The folder is made when missing. Default mode 0644.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** open(2): a handle on what the path names, which is not opened for that. */
const O_PATH = 0o10_000_000;

/** What a path names at one moment, held fast. */
export interface FoundFile {
  status: Stats;
  /** Where it lies, without any symbolic link. */
  place: string;
  /** A path by which it can be opened; for this process only, and only while it is held. */
  handle: string;
}

/**
 * Lets `use` judge a file that others may exchange, and then open exactly this one. Nothing is opened before: a
 * device or a FIFO may take that as a command. `links`: whether a symbolic link as the last part is followed.
 */
export async function withFound<T>(
  path: string,
  links: 'follow' | 'keep',
  use: (found: FoundFile) => Promise<T>,
): Promise<T> {
  await using held = await open(path, O_PATH | (links === 'keep' ? constants.O_NOFOLLOW : 0));
  const handle = `/proc/self/fd/${held.fd}`;
  return await use({ status: await held.stat(), place: await readlink(handle), handle });
}

/** Whether there is a file or folder that this process can find; a symbolic link is followed. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Makes renames and removals inside a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes a folder and those above it that are missing. Unlike mkdir's `recursive`, it does not try for ever
 * where the kernel answers ENOENT although the folder above exists, as in /proc.
 */
export function makeFolders(path: string, mode: number): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolders(above, 0o755);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // Another process may have been quicker.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
