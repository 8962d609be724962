import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import type { KnownPages } from '../memory/known-pages';
import { isZero, PAGE, pageDigest } from '../memory/pages';
import { type PageRun, RunList } from './runs';

const WINDOW = 4 << 20;
const PIECE = 1 << 20;

/** A part of a dump file as runs of pages; the bytes are those of its new pages. */
export interface DumpBatch {
  runs: PageRun[];
  bytes: Uint8Array;
  /** At the end: the digest of the digests of all pages that are not zero. */
  digest?: string;
}

/** Reads the files of a dump, and knows which pages need not travel. */
export class DumpReader {
  readonly #known: KnownPages;
  #file = -1;
  #digest: Hash = createHash('sha256');

  constructor(known: KnownPages) {
    this.#known = known;
  }

  /** Begins a file of pages. */
  begin(path: string): void {
    this.#file = openSync(path, 'r');
    this.#digest = createHash('sha256');
  }

  next(): DumpBatch {
    const window = Buffer.allocUnsafe(WINDOW);
    const read = readSync(this.#file, window, 0, WINDOW, null);
    const list = new RunList();
    if (read === 0) {
      closeSync(this.#file);
      return { runs: [], bytes: new Uint8Array(0), digest: this.#digest.digest('hex') };
    }
    const fresh = new Uint8Array(WINDOW);
    let filled = 0;
    for (let at = 0; at < read; at += PAGE) {
      const page = window.subarray(at, Math.min(at + PAGE, read));
      if (page.length === PAGE && isZero(page)) {
        list.addZero();
        continue;
      }
      const digest = pageDigest(page);
      this.#digest.update(digest, 'latin1');
      const number = this.#known.numberOf(digest);
      if (number !== undefined) list.addKnown(number);
      else {
        fresh.set(page, filled);
        filled += page.length;
        list.addFresh();
      }
    }
    return { runs: list.runs, bytes: fresh.slice(0, filled) };
  }

  /** A piece of a file that holds no pages; an empty one at its end. */
  plain(path: string, offset: number): { bytes: Uint8Array } {
    const file = openSync(path, 'r');
    try {
      const piece = new Uint8Array(PIECE);
      return { bytes: piece.slice(0, readSync(file, piece, 0, PIECE, offset)) };
    } finally {
      closeSync(file);
    }
  }
}
