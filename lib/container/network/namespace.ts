import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute, mount, unmountDetached } from '../../base';
import { NAMESPACES } from './settings';

const MS_BIND = 0x1000;

/**
 * Where the network namespace of a container is kept. It is made before the container's first process and is not
 * that process's own, so that a checkpoint leaves it out and a restore enters one that is connected already.
 */
export function namespacePath(id: string): string {
  return join(NAMESPACES, id);
}

/** Makes a container's network namespace, in place of one that is there; only its loopback interface is up. */
export async function makeNamespace(id: string): Promise<void> {
  await removeNamespace(id);
  await mkdir(NAMESPACES, { recursive: true, mode: 0o700 });
  const path = namespacePath(id);
  await writeFile(path, '', { mode: 0o600 });
  await execute('unshare', [`--net=${path}`, 'ip', 'link', 'set', 'lo', 'up']);
}

/**
 * Lets the path lead to the namespace of a running container again, where that is not so: this process may see other
 * mounts than the one that made it.
 */
export async function findNamespace(id: string, pid: number): Promise<void> {
  const path = namespacePath(id);
  const own = `/proc/${pid}/ns/net`;
  const kept = await stat(path).catch(() => undefined);
  if (kept?.ino === (await stat(own)).ino) return;
  await mkdir(NAMESPACES, { recursive: true, mode: 0o700 });
  if (!kept) await writeFile(path, '', { mode: 0o600 });
  mount(own, path, '', MS_BIND, '');
}

/** Lets go of it: it ends with its last process. Harmless when there is none. */
export async function removeNamespace(id: string): Promise<void> {
  const path = namespacePath(id);
  try {
    unmountDetached(path);
  } catch (error) {
    if (!['EINVAL', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  await rm(path, { force: true });
}
