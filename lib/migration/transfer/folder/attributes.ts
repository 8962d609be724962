import { type BigIntStats, chmodSync, lchownSync } from 'node:fs';
import { lgetxattrs, lremovexattr, lsetxattr, lutimes } from '../../../base';
import type { Attributes } from './changes';

const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;
/** What overlayfs notes about where a file came from; on another host it would be wrong. */
const OF_THIS_HOST = new Set(['origin', 'nlink', 'uuid', 'impure'].map((name) => `trusted.overlay.${name}`));
/** Without these a file would mean something else. */
const INDISPENSABLE = /^(security\.capability|trusted\.overlay\.)/;

export function readAttributes(path: Buffer, stat: BigIntStats): Attributes {
  const xattrs = [...lgetxattrs(path)].filter(([name]) => !OF_THIS_HOST.has(name));
  return {
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    modified: [Number(stat.mtimeNs / 1_000_000_000n), Number(stat.mtimeNs % 1_000_000_000n)],
    xattrs: xattrs.map(([name, value]) => [name, value.toString('base64')]),
  };
}

/** The order matters: a change of owner takes away set-user-ID bits and capabilities, and all of them change times. */
export function applyAttributes(path: Buffer, { mode, uid, gid, modified, xattrs }: Attributes): void {
  lchownSync(path, uid, gid);
  if ((mode & FILE_TYPE) !== SYMLINK) chmodSync(path, mode & 0o7777);
  const wanted = new Map(xattrs);
  const present = lgetxattrs(path);
  for (const name of present.keys())
    if (!wanted.has(name) && !OF_THIS_HOST.has(name)) lremovexattr(path, name);
  for (const [name, value] of wanted) {
    const bytes = Buffer.from(value, 'base64');
    if (!present.get(name)?.equals(bytes)) setAttribute(path, name, bytes);
  }
  lutimes(path, ...modified);
}

function setAttribute(path: Buffer, name: string, value: Buffer): void {
  try {
    lsetxattr(path, name, value);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EOPNOTSUPP' || INDISPENSABLE.test(name)) throw error;
  }
}
