import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { entryPath } from './paths';

/** A file that was changed so short a time ago may change again without its times telling, in nanoseconds. */
const RECENT = 200_000_000n;

/** An entry as a scan found it. */
export interface Entry {
  kind: 'folder' | 'file' | 'symlink' | 'node';
  stat: BigIntStats;
  /** Equal signatures mean that nothing was changed. */
  signature: string;
}

/** All entries of a folder by their relative paths, each folder before what it holds; other mounts are left out. */
export function scanFolder(root: string): Map<string, Entry> {
  const found = new Map<string, Entry>();
  const now = BigInt(Date.now()) * 1_000_000n;
  const todo = [''];
  let device: bigint | undefined;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const entry = ignoreGone(() => entryOf(lstatSync(entryPath(root, name!), { bigint: true }), now));
    device ??= entry?.stat.dev;
    if (!entry || entry.stat.dev !== device) continue;
    found.set(name, entry);
    if (entry.kind !== 'folder') continue;
    const names = ignoreGone(() => readdirSync(entryPath(root, name!), 'latin1')) ?? [];
    for (const base of names) todo.push(name === '' ? base : `${name}/${base}`);
  }
  return found;
}

export function entryOf(stat: BigIntStats, now: bigint): Entry {
  const kind = stat.isDirectory()
    ? 'folder'
    : stat.isFile()
      ? 'file'
      : stat.isSymbolicLink()
        ? 'symlink'
        : 'node';
  const { mode, uid, gid, size, mtimeNs, ctimeNs, ino, rdev } = stat;
  const recent = kind === 'file' && ctimeNs > now - RECENT ? now : 0n;
  const signature = [
    mode,
    uid,
    gid,
    kind === 'folder' ? 0n : size,
    mtimeNs,
    ctimeNs,
    ino,
    rdev,
    recent,
  ].join();
  return { kind, stat, signature };
}

/** undefined when what is looked at has been removed meanwhile. */
export function ignoreGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
