import { CHUNK_BYTES } from './tree/layout';

/** Free pieces that are kept: as many as one put has in use. */
const KEPT = 4;

const free: Uint8Array[] = [];

/**
 * Memory for a chunk of an object on its way to a disk thread, which sees it without a transfer. Whoever takes a piece
 * gives it back when the thread is done with it: the kernel gives out new memory page by page, which takes longer than
 * to copy into it, to hash and to write it.
 */
export function takePiece(): Uint8Array {
  return free.pop() ?? new Uint8Array(new SharedArrayBuffer(CHUNK_BYTES));
}

export function givePiece(piece: Uint8Array): void {
  if (free.length < KEPT) free.push(piece);
}
