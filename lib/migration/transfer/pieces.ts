import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const PIECE = 1 << 20;

/** A piece of a file of its own, which goes as it is; an empty one says that there is such a file. */
export interface FilePiece {
  path: string;
  offset: number;
  size: number;
}

/** Reads on in a file; nothing at its end. */
export function readPiece(path: string, offset: number): { bytes: Uint8Array } {
  const file = openSync(path, 'r');
  try {
    const piece = new Uint8Array(PIECE);
    return { bytes: piece.slice(0, readSync(file, piece, 0, PIECE, offset)) };
  } finally {
    closeSync(file);
  }
}

/** Writes pieces of files, whose bytes come one after another; the first of each file makes it anew. */
export function writePieces(pieces: readonly FilePiece[], bytes: Uint8Array): void {
  let used = 0;
  for (const { path, offset, size } of pieces) {
    const file = openSync(path, offset === 0 ? 'w' : 'r+', 0o600);
    try {
      for (let written = 0; written < size; ) {
        const part = bytes.subarray(used + written, used + size);
        if (part.length === 0) throw new RangeError(`${path} lacks bytes`);
        written += writeSync(file, part, 0, part.length, offset + written);
      }
    } finally {
      closeSync(file);
    }
    used += size;
  }
}
