import { closeSync, openSync, readSync } from 'node:fs';
import type { KnownPages } from './known-pages';
import { kernelPageSize, memoryMappings } from './mappings';
import { isZero, PAGE, pageDigest } from './pages';
import { presentRuns } from './present';

/** Memory looked at in one go, and pages handed over in one go, in bytes. */
const WINDOW = 1 << 20;

/** A part of a round: pages that the target lacks, and how many bytes were looked at for them. */
export interface MemoryBatch {
  bytes: Uint8Array;
  scanned: number;
  done: boolean;
}

/**
 * Reads the memory of running processes through /proc/PID/mem. They are not stopped, so what it sees need not be
 * consistent: that only costs pages which are sent once more.
 */
export class MemoryReader {
  readonly #known: KnownPages;
  readonly #window = Buffer.allocUnsafe(WINDOW);
  readonly #pageSize = kernelPageSize();
  #pieces: Iterator<Uint8Array> = [][Symbol.iterator]();

  constructor(known: KnownPages) {
    this.#known = known;
  }

  /** Begins a round over these processes. */
  begin(pids: number[]): void {
    this.#pieces = this.#read(pids);
  }

  /** The next pages that the target lacks, at most 2 MiB; counts them as known to it. */
  next(): MemoryBatch {
    const batch = new Uint8Array(2 * WINDOW);
    let filled = 0;
    let scanned = 0;
    // There is room for all of one more window; and others wait for this thread, too.
    while (filled < WINDOW && scanned < 16 * WINDOW) {
      const { value, done } = this.#pieces.next();
      if (done || this.#known.full) return { bytes: batch.slice(0, filled), scanned, done: true };
      scanned += value.length;
      for (let at = 0; at + PAGE <= value.length && !this.#known.full; at += PAGE) {
        const page = value.subarray(at, at + PAGE);
        if (isZero(page)) continue;
        const digest = pageDigest(page);
        if (this.#known.numberOf(digest) !== undefined) continue;
        this.#known.add(digest);
        batch.set(page, filled);
        filled += PAGE;
      }
    }
    return { bytes: batch.slice(0, filled), scanned, done: false };
  }

  *#read(pids: number[]): Generator<Uint8Array> {
    for (const pid of pids) {
      let [memory, pagemap] = [-1, -1];
      try {
        memory = openSync(`/proc/${pid}/mem`, 'r');
        pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
        for (const mapping of memoryMappings(pid)) {
          for (const [start, end] of presentRuns(pagemap, mapping, this.#pageSize)) {
            yield* this.#piecesOf(memory, start, end);
          }
        }
      } catch (error) {
        // It has ended.
        if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      } finally {
        if (memory >= 0) closeSync(memory);
        if (pagemap >= 0) closeSync(pagemap);
      }
    }
  }

  *#piecesOf(memory: number, start: number, end: number): Generator<Uint8Array> {
    for (let at = start; at < end; ) {
      let read = 0;
      try {
        read = readSync(memory, this.#window, 0, Math.min(WINDOW, end - at), at);
      } catch (error) {
        // Unmapped since the list was read, or memory of a device.
        if (!['EIO', 'EFAULT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
      if (read === 0) return;
      yield this.#window.subarray(0, read);
      at += read;
    }
  }
}
