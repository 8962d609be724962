import { lstat, open, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { withFound } from '../../base';

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

/**
 * The text of a regular file inside `root` (of a long one the lines of its first MiB), or an empty text when there is none. Safe also while
 * something inside `root` is running, which may put a link in the way at any moment: what lies elsewhere is not read.
 */
export async function readInRoot(root: string, path: string): Promise<string> {
  const resolved = await resolveInRoot(root, path);
  const place = join(await realpath(root), resolved.slice(root.length));
  const start = (await readStart(resolved, MAXIMUM_FILE, place)) ?? Buffer.alloc(0);
  const end = start.length < MAXIMUM_FILE ? start.length : start.lastIndexOf('\n') + 1;
  return start.toString('utf8', 0, end);
}

/**
 * The first bytes of a regular file, or undefined when there is none. Neither a FIFO nor a device that lies there
 * notices. `place`: where it has to lie, symbolic links followed.
 */
export async function readStart(path: string, length: number, place?: string): Promise<Buffer | undefined> {
  try {
    return await withFound(path, 'keep', async (found) => {
      if (!found.status.isFile() || (place !== undefined && found.place !== place)) return undefined;
      await using file = await open(found.handle);
      const buffer = Buffer.alloc(Math.min(length, found.status.size));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return buffer.subarray(0, bytesRead);
    });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
