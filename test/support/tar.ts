/** A small tar writer for tests: ordinary entries in one call, odd ones through `raw` and `extra`. */

export type TarEntryType =
  | 'file'
  | 'hardlink'
  | 'symlink'
  | 'character'
  | 'block'
  | 'directory'
  | 'fifo'
  | 'contiguous';

export interface TarEntryOptions {
  name: string | Buffer;
  /** A kind of file, or the type flag itself (one character). Default `file`. */
  type?: TarEntryType | string;
  /** Default 0644, for directories 0755. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds, fractions allowed (they need PAX). Default 1,700,000,000. */
  mtime?: number;
  linkname?: string | Buffer;
  content?: string | Uint8Array;
  xattrs?: Record<string, string | Uint8Array>;
  /** More PAX records. */
  pax?: Record<string, string | Uint8Array>;
  major?: number;
  minor?: number;
  /** How long names are stored. Default `pax`; `v7` writes no magic and `ustar` splits off a prefix. */
  format?: 'pax' | 'gnu' | 'ustar' | 'v7';
  /** The size field, when it shall differ from the content's length. */
  size?: number;
  /** Changes the finished header; the checksum is computed afterwards. */
  raw?: (header: Buffer) => void;
}

const TYPE_FLAGS: Record<string, string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
  contiguous: '7',
};

/** A whole archive: the entries and the two zero blocks of its end. */
export function tarArchive(entries: (TarEntryOptions | Buffer)[]): Buffer {
  return Buffer.concat([
    ...entries.map((entry) => (Buffer.isBuffer(entry) ? entry : tarEntry(entry))),
    tarEnd(),
  ]);
}

/** The two zero blocks that end an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(1024);
}

/** One entry with the extension headers that it needs. */
export function tarEntry(entry: TarEntryOptions): Buffer {
  const format = entry.format ?? 'pax';
  const name = toBuffer(entry.name);
  const linkname = toBuffer(entry.linkname ?? '');
  const parts: Buffer[] = [];
  const records: Record<string, string | Uint8Array> = { ...entry.pax };
  let prefix: Buffer = Buffer.alloc(0);
  let shortName = name;
  if (name.length > 100) {
    if (format === 'gnu') parts.push(longName('L', name));
    else if (format === 'pax') records.path ??= name;
    else {
      const slash = name.indexOf('/', name.length - 101);
      prefix = name.subarray(0, slash);
      shortName = name.subarray(slash + 1);
    }
  }
  if (linkname.length > 100) {
    if (format === 'gnu') parts.push(longName('K', linkname));
    else records.linkpath ??= linkname;
  }
  const mtime = entry.mtime ?? 1_700_000_000;
  if (!Number.isInteger(mtime) || mtime < 0) records.mtime ??= String(mtime);
  for (const [key, value] of Object.entries(entry.xattrs ?? {})) records[`SCHILY.xattr.${key}`] = value;
  if (Object.keys(records).length > 0) parts.push(paxHeader('x', records));
  parts.push(header(entry, shortName, prefix, linkname), padded(toBuffer(entry.content ?? '')));
  return Buffer.concat(parts);
}

/** A PAX extended header: `x` for the next entry, `g` for all that follow. */
export function paxHeader(flag: 'x' | 'g', records: Record<string, string | Uint8Array>): Buffer {
  const content = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  return Buffer.concat([
    header({ name: 'PaxHeaders/x', type: flag, content }, Buffer.from('PaxHeaders/x')),
    padded(content),
  ]);
}

/** One `length key=value\n`, where length counts itself. */
export function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), toBuffer(value), Buffer.from('\n')]);
  let length = body.length;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

/** Content filled up to whole 512-byte blocks. */
export function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** Writes the checksum of a header that was changed by hand. */
export function sealHeader(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function longName(flag: 'L' | 'K', name: Buffer): Buffer {
  const content = Buffer.concat([name, Buffer.alloc(1)]);
  return Buffer.concat([
    header({ name: '././@LongLink', type: flag, content, format: 'gnu' }, Buffer.from('././@LongLink')),
    padded(content),
  ]);
}

function header(
  entry: TarEntryOptions,
  name: Buffer,
  prefix: Buffer = Buffer.alloc(0),
  linkname: Buffer = Buffer.alloc(0),
): Buffer {
  const block = Buffer.alloc(512);
  const flag = TYPE_FLAGS[entry.type ?? 'file'] ?? entry.type!;
  name.copy(block, 0, 0, Math.min(name.length, 100));
  writeNumber(block, 100, 8, entry.mode ?? (flag === '5' ? 0o755 : 0o644));
  writeNumber(block, 108, 8, entry.uid ?? 0);
  writeNumber(block, 116, 8, entry.gid ?? 0);
  writeNumber(block, 124, 12, entry.size ?? toBuffer(entry.content ?? '').length);
  writeNumber(block, 136, 12, Math.max(0, Math.floor(entry.mtime ?? 1_700_000_000)));
  block.write(flag, 156, 1, 'latin1');
  linkname.copy(block, 157, 0, Math.min(linkname.length, 100));
  if (entry.format !== 'v7') {
    block.write(entry.format === 'gnu' ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1');
    writeNumber(block, 329, 8, entry.major ?? 0);
    writeNumber(block, 337, 8, entry.minor ?? 0);
    prefix.copy(block, 345, 0, 155);
  }
  entry.raw?.(block);
  return sealHeader(block);
}

/** Octal, or base-256 (GNU) for what is negative or too large. */
function writeNumber(block: Buffer, offset: number, length: number, value: number): void {
  const octal = value >= 0 ? value.toString(8) : '';
  if (octal && octal.length < length) {
    block.write(octal.padStart(length - 1, '0'), offset, 'latin1');
    return;
  }
  let rest = BigInt.asUintN(length * 8, BigInt(value));
  for (let index = length - 1; index >= 0; index -= 1) {
    block[offset + index] = Number(rest & 255n);
    rest >>= 8n;
  }
  block[offset]! |= 0x80;
}

function toBuffer(value: string | Uint8Array): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value);
}
