import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES } from './reader';

const BATCH = 1 << 20;
/** What CRIU writes for people. */
const NO_IMAGE = /\.(log|txt)$/;

/** Pieces of files, by their names, and the bytes one after another; an empty file is one piece. */
export interface ImageBatch {
  pieces: { file: string; offset: number; size: number }[];
  bytes: Uint8Array;
}

/** The files of a dump that hold no pages, once all are written: many small ones in one batch. */
export function* readImages(folder: string): Generator<ImageBatch> {
  const buffer = Buffer.allocUnsafe(BATCH);
  let pieces: ImageBatch['pieces'] = [];
  let filled = 0;
  for (const file of readdirSync(folder)) {
    if (PAGES.test(file) || NO_IMAGE.test(file)) continue;
    const descriptor = openSync(join(folder, file), 'r');
    try {
      for (let offset = 0; ; ) {
        const size = readSync(descriptor, buffer, filled, BATCH - filled, offset);
        if (size > 0 || offset === 0) pieces.push({ file, offset, size });
        offset += size;
        filled += size;
        if (filled === BATCH) {
          yield { pieces, bytes: Uint8Array.from(buffer) };
          [pieces, filled] = [[], 0];
        } else if (size === 0) break;
      }
    } finally {
      closeSync(descriptor);
    }
  }
  if (pieces.length > 0) yield { pieces, bytes: Uint8Array.from(buffer.subarray(0, filled)) };
}
