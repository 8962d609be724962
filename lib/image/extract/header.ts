import { LayerCorruptError } from './errors';
import { showName } from './names';

/** Tar counts in blocks of 512 bytes. */
export const BLOCK_SIZE = 512;

/** The fields of one header block, as they stand there. Text is Latin-1: one character per byte. */
export interface Header {
  flag: string;
  name: string;
  linkName: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  seconds: number;
  major: number;
  minor: number;
}

/**
 * Reads a header block of any dialect: v7, ustar (POSIX.1-1988), PAX, GNU and star.
 *
 * @throws {LayerCorruptError} when the checksum or a number is wrong
 */
export function readHeader(block: Buffer): Header {
  verifyChecksum(block);
  const magic = block.toString('latin1', 257, 263);
  const hasDevice = magic === 'ustar\0' || magic === 'ustar ';
  let name = readText(block, 0, 100);
  if (magic === 'ustar\0') {
    // star keeps two times at the end of the prefix field.
    const prefix = readText(block, 345, block.toString('latin1', 508, 512) === 'tar\0' ? 131 : 155);
    if (prefix) name = `${prefix}/${name}`;
  }
  return {
    flag: String.fromCharCode(block[156]!),
    name,
    linkName: readText(block, 157, 100),
    mode: readNumber(block, 100, 8) & 0o7777,
    uid: readNumber(block, 108, 8),
    gid: readNumber(block, 116, 8),
    size: readNumber(block, 124, 12),
    seconds: readNumber(block, 136, 12),
    major: hasDevice ? readNumber(block, 329, 8) : 0,
    minor: hasDevice ? readNumber(block, 337, 8) : 0,
  };
}

/** A block of zeros ends an archive. */
export function isZeroBlock(block: Buffer): boolean {
  for (let index = 0; index < BLOCK_SIZE; index += 1) if (block[index] !== 0) return false;
  return true;
}

/** Text up to the first zero byte. */
export function readText(block: Buffer, offset: number, length: number): string {
  let end = offset;
  const limit = offset + length;
  while (end < limit && block[end] !== 0) end += 1;
  return block.toString('latin1', offset, end);
}

/** Octal digits amid spaces and zero bytes, or GNU's base-256, whose first byte has its top bit set. */
export function readNumber(block: Buffer, offset: number, length: number): number {
  const limit = offset + length;
  if (block[offset]! & 0x80) return readBase256(block, offset, length);
  let index = offset;
  while (index < limit && (block[index] === 0x20 || block[index] === 0)) index += 1;
  let value = 0;
  for (; index < limit; index += 1) {
    const digit = block[index]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; index < limit; index += 1) {
    const byte = block[index];
    if (byte === 0) break;
    if (byte !== 0x20)
      throw new LayerCorruptError(`"${showName(readText(block, offset, length))}" is not octal`);
  }
  return value;
}

function readBase256(block: Buffer, offset: number, length: number): number {
  let value = BigInt(block[offset]! & 0x7f);
  for (let index = offset + 1; index < offset + length; index += 1) {
    value = (value << 8n) | BigInt(block[index]!);
  }
  // Two's complement over all bits but the marker.
  const number = Number(BigInt.asIntN(length * 8 - 1, value));
  if (!Number.isSafeInteger(number)) throw new LayerCorruptError('a number in a header is too large');
  return number;
}

/** Some old writers summed signed characters, so both sums are right. */
function verifyChecksum(block: Buffer): void {
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let index = 0; index < BLOCK_SIZE; index += 1) {
    if (index === 148) index = 156;
    const byte = block[index]!;
    unsigned += byte;
    if (byte > 127) high += 1;
  }
  const stored = readNumber(block, 148, 8);
  if (stored !== unsigned && stored !== unsigned - 256 * high) {
    throw new LayerCorruptError('a header has a wrong checksum');
  }
}
