import { crc32 } from 'node:zlib';
import { DIGEST_BYTES } from '../tree/cid';
import { leafCount, MAXIMUM_OBJECT_BYTES } from '../tree/layout';

/**
 * One file holds one object: its bytes as they are, then the SHA-256 of each leaf block, then a footer. The
 * bytes stand at the start so that they are read and written in one go; blocks are addressed inside. A file
 * per block would cost an open and an fsync for every 256 KiB: 5 times the time of a 1 MB write.
 * The hashes need no trust: the tree over them has to end in the CID that is the file's name.
 */
export interface Footer {
  version: 1;
  size: number;
  /** Who put it first, at this site. */
  writer: string;
  /** Milliseconds since 1970, by the clock of the NAS. */
  createdAt: number;
}

const MAGIC = Buffer.from('GARUAOB1');
/** Magic, length of the footer, CRC-32 of the footer. */
export const TRAILER_BYTES = MAGIC.length + 8;
export const LONGEST_FOOTER = 4096;

/** What stands after the object's bytes. */
export function encodeEnd(digests: Uint8Array, footer: Footer): Buffer {
  const text = Buffer.from(JSON.stringify(footer));
  const trailer = Buffer.alloc(TRAILER_BYTES);
  MAGIC.copy(trailer);
  trailer.writeUInt32LE(text.length, MAGIC.length);
  trailer.writeUInt32LE(crc32(text), MAGIC.length + 4);
  return Buffer.concat([digests, text, trailer]);
}

/** Bytes of the footer, from a file's last bytes; undefined when they are not an object's. */
export function footerLength(tail: Buffer): number | undefined {
  if (tail.length < TRAILER_BYTES) return undefined;
  const trailer = tail.subarray(-TRAILER_BYTES);
  if (!trailer.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const length = trailer.readUInt32LE(MAGIC.length);
  return length <= LONGEST_FOOTER ? length : undefined;
}

/** The footer in a file's last bytes, when it is whole and agrees with the file's length. */
export function decodeFooter(tail: Buffer, fileBytes: number): Footer | undefined {
  const length = footerLength(tail);
  if (length === undefined || tail.length < length + TRAILER_BYTES) return undefined;
  const text = tail.subarray(-TRAILER_BYTES - length, -TRAILER_BYTES);
  if (crc32(text) !== tail.readUInt32LE(tail.length - 4)) return undefined;
  const footer = JSON.parse(text.toString()) as Footer;
  const { version, size } = footer;
  if (version !== 1 || !Number.isSafeInteger(size) || size < 0 || size > MAXIMUM_OBJECT_BYTES)
    return undefined;
  return size + tableBytes(size) + length + TRAILER_BYTES === fileBytes ? footer : undefined;
}

/** Bytes of the hashes of an object's leaves. */
export function tableBytes(size: number): number {
  return leafCount(size) * DIGEST_BYTES;
}
