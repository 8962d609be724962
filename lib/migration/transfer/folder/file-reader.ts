import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { nextData } from '../../../base';
import { readAttributes } from './attributes';
import type { FolderChange } from './changes';
import { type Entry, entryOf, ignoreGone } from './scan';

const BLOCK = 256 << 10;
/** Files from here on are compared block by block when they change: a database changes in a few places. */
const LARGE = 1 << 20;
const ZERO = Buffer.alloc(BLOCK);

/** A change, and its bytes where it has some. */
export type Piece = [FolderChange, Uint8Array?];

/** What was sent of a file: the digests of its blocks, empty for a hole. Absent for small files. */
export type Blocks = string[] | undefined;

/** What reading a file came to: what it was like when it was opened, and its blocks. */
export interface FileState {
  entry: Entry;
  blocks: Blocks;
}

/** Reads a file as changes. `before`: what the target has of it. Answers undefined when there is no such file any more. */
export function* readFile(
  path: Buffer,
  name: string,
  before: Blocks,
): Generator<Piece, FileState | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = ignoreGone(() => openSync(path, flags));
  if (file === undefined) return undefined;
  try {
    const entry = entryOf(fstatSync(file, { bigint: true }), BigInt(Date.now()) * 1_000_000n);
    if (entry.kind !== 'file') return undefined;
    const attributes = ignoreGone(() => readAttributes(path, entry.stat));
    if (!attributes) return undefined;
    yield [{ change: 'file', path: name, fresh: before === undefined }];
    const blocks: string[] = [];
    const size = yield* readBlocks(file, name, entry, before ?? [], blocks);
    yield [{ change: 'finish', path: name, size, attributes }];
    return { entry, blocks: size >= LARGE ? blocks : undefined };
  } finally {
    closeSync(file);
  }
}

function* readBlocks(
  file: number,
  name: string,
  { stat }: Entry,
  before: string[],
  blocks: string[],
): Generator<Piece, number> {
  const size = Number(stat.size);
  const sparse = stat.blocks * 512n < stat.size;
  let data = sparse ? nextData(file, 0) : { start: 0, end: size };
  for (let offset = 0; offset < size; offset += BLOCK) {
    const length = Math.min(BLOCK, size - offset);
    if (data && data.end <= offset) data = nextData(file, offset);
    const bytes = data && data.start < offset + length ? readBlock(file, offset, length) : undefined;
    const hole = !bytes || ZERO.subarray(0, bytes.length).equals(bytes);
    const digest = hole ? '' : createHash('sha256').update(bytes).digest('binary');
    const known = before[blocks.length] ?? '';
    blocks.push(digest);
    if (digest === known) continue;
    if (hole) yield [{ change: 'zeros', path: name, offset, size: length }];
    else yield [{ change: 'data', path: name, offset, size: bytes.length }, bytes];
  }
  return size;
}

/** It may have become shorter meanwhile; then it has been changed, and the next round comes back to it. */
function readBlock(file: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(file, bytes, filled, length - filled, offset + filled);
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}
