import { constants } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';
import { join } from 'node:path';

const MAXIMUM_LINKS = 40;
const MAXIMUM_FILE = 1 << 20;

/**
 * The host's path of `path` as a process inside `root` would see it: symbolic links are followed, but never
 * out of `root`. The last components need not exist. Only safe while nothing inside `root` is running.
 *
 * @throws ELOOP after 40 links
 */
export async function resolveInRoot(root: string, path: string): Promise<string> {
  let pending = path.split('/');
  let resolved: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const part = pending.shift()!;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      resolved.pop();
      continue;
    }
    const candidate = join(root, ...resolved, part);
    const target = await linkTarget(candidate);
    if (target === undefined) {
      resolved.push(part);
      continue;
    }
    links += 1;
    if (links > MAXIMUM_LINKS) {
      throw Object.assign(new Error(`ELOOP: too many symbolic links in ${path}`), { code: 'ELOOP', path });
    }
    if (target.startsWith('/')) resolved = [];
    pending = [...target.split('/'), ...pending];
  }
  return join(root, ...resolved);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** The text of a regular file inside `root` (at most its first MiB), or an empty text when there is none. */
export async function readInRoot(root: string, path: string): Promise<string> {
  return (await readStart(await resolveInRoot(root, path), MAXIMUM_FILE))?.toString('utf8') ?? '';
}

/** The first bytes of a regular file, or undefined when there is none. Never waits for a FIFO's writer. */
export async function readStart(path: string, length: number): Promise<Buffer | undefined> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await using file = await open(path, flags);
    const status = await file.stat();
    if (!status.isFile()) return undefined;
    const buffer = Buffer.alloc(Math.min(length, status.size));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
