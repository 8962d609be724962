import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load(null);
const llistxattr = libc.func('llistxattr', 'long', ['const void *', 'const void *', 'size_t']);
const lgetxattr = libc.func('lgetxattr', 'long', ['const void *', 'const char *', 'const void *', 'size_t']);

/** Everything that can be seen of one file, for comparing whole trees with deepEqual. */
export interface FileFacts {
  type: string;
  mode: string;
  owner: string;
  /** Nanoseconds since 1970. */
  modified: bigint;
  size?: number;
  content?: string;
  target?: string;
  device?: number;
  xattrs: Record<string, string>;
  /** The first name of the same inode, when it has several. */
  sameAs?: string;
}

const TYPES = [
  ['file', 'isFile'],
  ['directory', 'isDirectory'],
  ['symlink', 'isSymbolicLink'],
  ['fifo', 'isFIFO'],
  ['character', 'isCharacterDevice'],
  ['block', 'isBlockDevice'],
  ['socket', 'isSocket'],
] as const;

/** A folder's tree, itself as `.`; names are Latin-1 byte strings. */
export function treeFacts(root: string): Record<string, FileFacts> {
  const facts: Record<string, FileFacts> = {};
  const inodes = new Map<bigint, string>();
  const visit = (name: string) => {
    const path = Buffer.from(`${root}/${name}`, 'latin1');
    const stat = lstatSync(path, { bigint: true });
    const fact: FileFacts = {
      type: TYPES.find(([, test]) => stat[test]())![0],
      mode: (Number(stat.mode) & 0o7777).toString(8),
      owner: `${stat.uid}:${stat.gid}`,
      modified: stat.mtimeNs,
      xattrs: readXattrs(path),
    };
    if (stat.isFile()) {
      fact.size = Number(stat.size);
      fact.content = createHash('sha256').update(readFileSync(path)).digest('hex');
    }
    if (stat.isSymbolicLink()) fact.target = readlinkSync(path, 'latin1');
    if (stat.isCharacterDevice() || stat.isBlockDevice()) fact.device = Number(stat.rdev);
    if (!stat.isDirectory() && stat.nlink > 1n) {
      fact.sameAs = inodes.get(stat.ino) ?? name;
      inodes.set(stat.ino, fact.sameAs);
    }
    facts[name] = fact;
    if (!stat.isDirectory()) return;
    for (const child of readdirSync(path, 'latin1').sort()) visit(name === '.' ? child : `${name}/${child}`);
  };
  visit('.');
  return facts;
}

/** The extended attributes of a path itself; values as Latin-1 byte strings. */
export function readXattrs(path: string | Buffer): Record<string, string> {
  const zeroTerminated = Buffer.concat([Buffer.from(path as string), Buffer.alloc(1)]);
  const names = Buffer.alloc(64 << 10);
  const length = Number(llistxattr(zeroTerminated, names, names.length));
  const found: Record<string, string> = {};
  for (const name of names.toString('utf8', 0, Math.max(0, length)).split('\0').filter(Boolean).sort()) {
    const value = Buffer.alloc(64 << 10);
    const size = Number(lgetxattr(zeroTerminated, name, value, value.length));
    found[name] = value.toString('latin1', 0, size);
  }
  return found;
}
