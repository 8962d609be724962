import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { throwIfAborted } from '../../base';
import { ImageArchiveCompressedError, ImageArchiveError } from './errors';

/** Where a member of a tar file lies, or what it is another name for. */
export type TarMember = { kind: 'file'; offset: number; size: number } | { kind: 'link'; target: string };

const BLOCK = 512;
/** Image archives have a few hundred members. */
const MAX_MEMBERS = 100_000;
const MAX_EXTENSION_SIZE = 1 << 20;
const MAX_LINKS = 16;

const COMPRESSIONS: [magic: string, tool: string][] = [
  ['1f8b', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['fd377a585a00', 'xz'],
  ['425a68', 'bzip2'],
];

/**
 * Where each member of a plain tar file lies, found by reading the headers only (POSIX pax, "ustar
 * Interchange Format", with GNU's long names).
 *
 * @throws {ImageArchiveError} {ImageArchiveCompressedError} {AbortedError}
 */
export async function indexTar(path: string, file: FileHandle, signal?: AbortSignal) {
  const members = new Map<string, TarMember>();
  const { size: fileSize } = await file.stat();
  let position = 0;
  let extension: Extension = {};
  for (let count = 0; ; count += 1) {
    throwIfAborted(signal, `reading ${path}`);
    if (count > MAX_MEMBERS) throw new ImageArchiveError(path, `it has more than ${MAX_MEMBERS} members`);
    const block = await readExactly(file, position, BLOCK);
    if (block.length < BLOCK) {
      // Some writers leave out the blocks of zeros at the end; half a block is no end.
      if (block.length === 0 && count > 0) return members;
      throw new ImageArchiveError(path, 'it is not a tar file, or ends too early');
    }
    if (block.every((byte) => byte === 0)) {
      if (count === 0) throw new ImageArchiveError(path, 'it is an empty tar file');
      return members;
    }
    checkHeader(path, block, count === 0);
    const type = String.fromCharCode(block[156]!);
    const data = position + BLOCK;
    const size = extension.size ?? number(block, 124, 12);
    if (!Number.isSafeInteger(size) || size < 0 || data + size > fileSize) {
      throw new ImageArchiveError(path, 'it ends too early');
    }
    position = data + Math.ceil(size / BLOCK) * BLOCK;
    if ('xLK'.includes(type)) {
      if (size > MAX_EXTENSION_SIZE) throw new ImageArchiveError(path, 'a member has an endless name');
      Object.assign(extension, readExtension(type, await readExactly(file, data, size)));
      continue;
    }
    if (type === 'g') continue;
    const name = normalize(extension.path ?? headerName(block));
    const linkname = extension.linkpath ?? text(block, 157, 100);
    if ('0\x007'.includes(type)) members.set(name, { kind: 'file', offset: data, size });
    else if (type === '1') members.set(name, { kind: 'link', target: normalize(linkname) });
    else if (type === '2') {
      members.set(name, { kind: 'link', target: normalize(posix.join(posix.dirname(name), linkname)) });
    }
    extension = {};
  }
}

/** Follows links to a file's place; undefined when the name leads nowhere. */
export function findMember(members: Map<string, TarMember>, name: string) {
  let current = normalize(name);
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const member = members.get(current);
    if (!member || member.kind === 'file') return member;
    current = member.target;
  }
  return undefined;
}

/** As many bytes as the file has, up to `length`. */
export async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

interface Extension {
  path?: string;
  linkpath?: string;
  size?: number;
}

function readExtension(type: string, content: Buffer): Extension {
  if (type === 'L') return { path: text(content, 0, content.length) };
  if (type === 'K') return { linkpath: text(content, 0, content.length) };
  const extension: Extension = {};
  for (let start = 0; start < content.length; ) {
    const length = Number.parseInt(content.toString('latin1', start, start + 20), 10);
    if (!(length > 0)) break;
    const record = content.toString('utf8', start, start + length);
    const [, key, value = ''] = /^\d+ ([^=]+)=(.*)\n$/s.exec(record) ?? [];
    if (key === 'path' || key === 'linkpath') extension[key] = value;
    if (key === 'size') extension.size = Number(value);
    start += length;
  }
  return extension;
}

function checkHeader(path: string, block: Buffer, first: boolean): void {
  let sum = 0;
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 32 : byte;
  if (sum === number(block, 148, 8)) return;
  const magic = block.toString('hex', 0, 8);
  const compression = first && COMPRESSIONS.find(([start]) => magic.startsWith(start));
  if (compression) throw new ImageArchiveCompressedError(path, compression[1]);
  throw new ImageArchiveError(path, first ? 'it is not a tar file' : 'its tar headers are damaged');
}

function headerName(block: Buffer): string {
  const name = text(block, 0, 100);
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : '';
  return prefix ? `${prefix}/${name}` : name;
}

function text(block: Buffer, start: number, length: number): string {
  const end = block.indexOf(0, start);
  return block.toString('utf8', start, end < 0 ? start + length : Math.min(end, start + length));
}

/** Octal, or GNU's base-256 for what is too large. */
function number(block: Buffer, start: number, length: number): number {
  if (block[start]! & 0x80) {
    let value = block[start]! & 0x7f;
    for (let index = start + 1; index < start + length; index += 1) value = value * 256 + block[index]!;
    return value;
  }
  const digits = text(block, start, length).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
}

function normalize(name: string): string {
  return posix
    .normalize(name)
    .replace(/^(?:\.{0,2}\/)+/, '')
    .replace(/\/$/, '');
}
