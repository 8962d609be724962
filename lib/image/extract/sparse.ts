import type { SparseMap } from './entry';
import { LayerCorruptError } from './errors';
import { BLOCK_SIZE, readNumber } from './header';
import { type PaxRecord, parseDecimal } from './pax';

/**
 * The four ways in which GNU tar stores sparse files (GNU tar manual, "Storing Sparse Files"). In the archive
 * the pieces of data follow each other; the map says where in the file each belongs.
 */

/** The pairs of an old GNU header (type S) or of one of its extension blocks; true if a block follows. */
export function readOldSparse(block: Buffer, isExtension: boolean, map: SparseMap): boolean {
  const [start, count] = isExtension ? [0, 21] : [386, 4];
  for (let index = 0; index < count; index += 1) {
    const offset = start + index * 24;
    // The first unused pair begins with a zero byte.
    if (block[offset] === 0) break;
    map.push(readNumber(block, offset, 12), readNumber(block, offset + 12, 12));
  }
  return block[isExtension ? 504 : 482] === 1;
}

/** The length of an old GNU sparse file with its holes. */
export function readOldSparseSize(block: Buffer): number {
  return readNumber(block, 483, 12);
}

/** Formats 0.0 (a record per number) and 0.1 (one list); undefined when the entry is not sparse this way. */
export function readPaxSparse(records: PaxRecord[]): SparseMap | undefined {
  let map: SparseMap | undefined;
  for (const [key, value] of records) {
    if (key === 'GNU.sparse.map') {
      const text = value.toString('latin1');
      map = text === '' ? [] : text.split(',').map(parseDecimal);
    } else if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      map ??= [];
      const isOffset = map.length % 2 === 0;
      if (isOffset !== (key === 'GNU.sparse.offset'))
        throw new LayerCorruptError('a sparse map is out of order');
      map.push(parseDecimal(value.toString('latin1')));
    }
  }
  return map;
}

/** Format 1.0: the map stands before the data, a decimal number per line, filled up to whole blocks. */
export class SparseMapReader {
  #text = '';
  #numbers: number[] = [];
  #count: number | undefined;

  /** Takes the next block; answers the map once it is complete. */
  add(block: Buffer): SparseMap | undefined {
    const lines = (this.#text + block.toString('latin1', 0, BLOCK_SIZE)).split('\n');
    this.#text = lines.pop()!;
    for (const line of lines) {
      if (this.#numbers.length === this.#count) break;
      if (this.#count === undefined) this.#count = parseDecimal(line) * 2;
      else this.#numbers.push(parseDecimal(line));
    }
    if (this.#numbers.length === this.#count) return this.#numbers;
    if (this.#text.length > 20) throw new LayerCorruptError('a sparse map is malformed');
    return undefined;
  }
}

/** @throws {LayerCorruptError} unless the pieces ascend, fit into the file and add up to the data. */
export function verifySparseMap(map: SparseMap, dataSize: number, fileSize: number): void {
  let end = 0;
  let sum = 0;
  for (let index = 0; index < map.length; index += 2) {
    const [offset, length] = [map[index]!, map[index + 1] ?? Number.NaN];
    if (!(offset >= end && length >= 0)) throw new LayerCorruptError('a sparse map is out of order');
    end = offset + length;
    sum += length;
  }
  if (!(end <= fileSize) || sum !== dataSize) {
    throw new LayerCorruptError('a sparse map does not fit its file');
  }
}
