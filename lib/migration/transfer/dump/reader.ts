import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { TransferFailedError } from '../errors';
import type { KnownPages } from '../memory/known-pages';
import { isZero, PAGE, pageDigest } from '../memory/pages';
import { type PageRun, RunList } from './runs';

const WINDOW = 4 << 20;
/** Names of the files of a dump that hold pages, and nothing else. */
export const PAGES = /^pages-\d+\.img$/;

/** A part of a file of pages as runs; the bytes are those of its new pages. */
export interface DumpBatch {
  file: string;
  runs: PageRun[];
  bytes: Uint8Array;
}

/** What is true of a whole file: the digest of the digests of all its pages that are not zero. */
export interface DumpEnd {
  file: string;
  digest: string;
}

interface Followed {
  descriptor: number;
  /** So much of it has been read. */
  offset: number;
  digest: Hash;
}

/**
 * Reads the pages of a dump, also while it is still being written, and knows which of them need not travel. CRIU
 * writes each page once, one after another.
 */
export class DumpReader {
  readonly #known: KnownPages;
  readonly #followed = new Map<string, Followed>();
  #window = Buffer.alloc(0);

  constructor(known: KnownPages) {
    this.#known = known;
  }

  /** Pages that have been written since the last call; undefined when there are none. */
  next(folder: string): DumpBatch | undefined {
    if (this.#window.length === 0) this.#window = Buffer.allocUnsafe(WINDOW);
    for (const file of readdirSync(folder)) {
      if (!PAGES.test(file)) continue;
      const followed = this.#follow(folder, file);
      const read = readSync(followed.descriptor, this.#window, 0, WINDOW, followed.offset);
      const pages = this.#window.subarray(0, read - (read % PAGE));
      if (pages.length === 0) continue;
      followed.offset += pages.length;
      return { file, ...this.#compare(pages, followed.digest) };
    }
    return undefined;
  }

  /** Once all has been written and read. @throws {TransferFailedError} when a file is not made of pages */
  end(): DumpEnd[] {
    const ended = [...this.#followed].map(([file, { descriptor, offset, digest }]) => {
      const { size } = fstatSync(descriptor);
      closeSync(descriptor);
      if (size !== offset) throw new TransferFailedError(`${file} is not made of pages`);
      return { file, digest: digest.digest('hex') };
    });
    this.#followed.clear();
    return ended;
  }

  #follow(folder: string, file: string): Followed {
    const found = this.#followed.get(file);
    if (found) return found;
    const descriptor = openSync(join(folder, file), 'r');
    const followed = { descriptor, offset: 0, digest: createHash('sha256') };
    this.#followed.set(file, followed);
    return followed;
  }

  #compare(pages: Buffer, digest: Hash): Omit<DumpBatch, 'file'> {
    const list = new RunList();
    const fresh: number[] = [];
    for (let at = 0; at < pages.length; at += PAGE) {
      const page = pages.subarray(at, at + PAGE);
      if (isZero(page)) {
        list.addZero();
        continue;
      }
      const own = pageDigest(page);
      digest.update(own, 'latin1');
      const number = this.#known.numberOf(own);
      if (number !== undefined) list.addKnown(number);
      else {
        list.addFresh();
        fresh.push(at);
      }
    }
    const bytes = new Uint8Array(fresh.length * PAGE);
    for (const [index, at] of fresh.entries()) bytes.set(pages.subarray(at, at + PAGE), index * PAGE);
    return { runs: list.runs, bytes };
  }
}
