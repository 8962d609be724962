import { createHash, type Hash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { TransferFailedError } from '../errors';
import type { PageCache } from '../memory/page-cache';
import { PAGE, pageDigest } from '../memory/pages';
import type { PageRun } from './runs';

interface Building {
  file: number;
  size: number;
  digest: Hash;
}

/** Builds the files of a dump again, of pages that came ahead and of those that came with it. */
export class DumpBuilder {
  readonly #cache: PageCache;
  readonly #building = new Map<string, Building>();

  constructor(cache: PageCache) {
    this.#cache = cache;
  }

  /** Appends runs of pages; `fresh` holds the new ones. */
  append(path: string, runs: PageRun[], fresh: Uint8Array): void {
    const target = this.#open(path);
    let used = 0;
    for (const run of runs) {
      if ('zero' in run) target.size += run.zero * PAGE;
      else if ('known' in run) {
        for (const { bytes, digests } of this.#cache.pieces(run.known, run.count)) {
          target.digest.update(digests);
          write(target, bytes);
        }
      } else {
        const pages = fresh.subarray(used, used + run.fresh * PAGE);
        used += pages.length;
        for (let at = 0; at < pages.length; at += PAGE)
          target.digest.update(pageDigest(pages.subarray(at, at + PAGE)), 'latin1');
        write(target, pages);
      }
    }
  }

  /** Closes a file. @throws {TransferFailedError} when it is not what the source has */
  end(path: string, digest: string): void {
    const { file, size, digest: own } = this.#open(path);
    this.#building.delete(path);
    // Zeros at the end are a hole as well.
    ftruncateSync(file, size);
    closeSync(file);
    if (own.digest('hex') !== digest) throw new TransferFailedError(`${path} is not what the source sent`);
  }

  #open(path: string): Building {
    const found = this.#building.get(path) ?? {
      file: openSync(path, 'w', 0o600),
      size: 0,
      digest: createHash('sha256'),
    };
    this.#building.set(path, found);
    return found;
  }
}

function write(target: Building, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(target.file, bytes, written, bytes.length - written, target.size + written);
  }
  target.size += bytes.length;
}
