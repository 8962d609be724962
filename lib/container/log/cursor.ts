import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { exists, throwIfAborted } from '../../base';
import type { LogLine } from '../container';
import type { ContainerFolder } from '../paths';
import { LogParser } from './k8s-format';
import { listSegments, segmentsFolder } from './segments';
import { startOfTail } from './tail';

const CHUNK = 64 * 1024;
/** A busy log is read in batches, a few dozen times a second, not at each of its writes. */
const BATCH_MS = 20;
/** After so many looks without anything new the kernel is asked to report the next write. */
const PATIENCE = 10;
/** For file systems whose changes are not reported. */
const LOOK_AGAIN_MS = 1_000;

/** Reads a log from segment to segment. What it has open stays readable when a rotation removes it. */
export class LogCursor implements AsyncDisposable {
  readonly #folder: ContainerFolder;
  readonly #parser = new LogParser();
  #file: FileHandle | undefined;
  #inode = 0;
  #number = 0;
  #position = 0;
  /** Looks in a row that found nothing new. */
  #quiet = PATIENCE;

  constructor(folder: ContainerFolder) {
    this.#folder = folder;
  }

  /** Goes to where the last lines begin, or a little before. */
  async seekTail(lines: number): Promise<void> {
    const position = await startOfTail(listSegments(this.#folder), lines);
    if (!position) return;
    await this.#open(position.segment.path, position.segment.number).catch(() => {});
    if (this.#file) this.#position = position.offset;
  }

  /** Goes to the first segment that has lines of this time (milliseconds since 1970) or later. */
  async seekTime(since: number): Promise<void> {
    const segment = listSegments(this.#folder).find(({ modifiedAt }) => modifiedAt >= since);
    if (segment) await this.#open(segment.path, segment.number).catch(() => {});
  }

  /**
   * The complete lines up to where the log ends now, in batches: a fast writer must not keep this going for ever.
   */
  async *available(signal: AbortSignal | undefined): AsyncGenerator<LogLine[]> {
    const end = listSegments(this.#folder).at(-1);
    if (!end) return;
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      throwIfAborted(signal, 'reading the log');
      const atEnd = this.#inode === end.inode;
      const length = atEnd ? Math.min(CHUNK, end.size - this.#position) : CHUNK;
      const bytesRead =
        this.#file && length > 0 ? (await this.#file.read(buffer, 0, length, this.#position)).bytesRead : 0;
      if (bytesRead > 0) {
        this.#position += bytesRead;
        this.#quiet = 0;
        yield this.#parser.push(buffer.subarray(0, bytesRead));
      } else if (atEnd || this.#number > end.number) {
        return;
      } else {
        // A later segment was there before this read: there is no more in this one.
        const lost = await this.#advance();
        if (lost === undefined) return;
        if (lost.length > 0) yield lost;
      }
    }
  }

  /** Waits for a change; false when the log is gone for good. */
  async changed(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#quiet < PATIENCE) {
      this.#quiet += 1;
      await sleep(BATCH_MS);
    } else {
      await this.#nextWrite(signal);
    }
    return exists(this.#folder.record);
  }

  /** Texts without a newline at the end, once nothing more can come. */
  flush(): LogLine[] {
    return this.#parser.flush();
  }

  /** Watches only while nothing comes: a busy log would report each of its writes. */
  async #nextWrite(signal: AbortSignal | undefined): Promise<void> {
    let watcher: FSWatcher | undefined;
    const written = new Promise<void>((resolve) => {
      try {
        watcher = watch(segmentsFolder(this.#folder), () => resolve()).on('error', () => resolve());
      } catch {
        // Not there yet, or no watch left to give.
      }
    });
    const wait = new AbortController();
    try {
      // What came before the watch is not reported.
      const last = listSegments(this.#folder).at(-1);
      if (last && (last.inode !== this.#inode || last.size > this.#position)) return;
      const signals = signal ? AbortSignal.any([signal, wait.signal]) : wait.signal;
      await Promise.race([written, sleep(LOOK_AGAIN_MS, undefined, { signal: signals }).catch(() => {})]);
    } finally {
      watcher?.close();
      wait.abort();
    }
  }

  /** Opens the next segment; undefined when there is none, else the texts that a gap in the log has ended. */
  async #advance(): Promise<LogLine[] | undefined> {
    for (;;) {
      const segments = listSegments(this.#folder);
      const here = segments.findIndex(({ inode }) => inode === this.#inode);
      const next =
        here >= 0 ? segments[here + 1] : segments.find(({ number }) => number >= Math.max(1, this.#number));
      if (!next) return undefined;
      const isGap = this.#file !== undefined && here < 0 && next.number !== this.#number + 1;
      try {
        await this.#open(next.path, next.number);
      } catch (error) {
        // Removed by a rotation in this moment.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
        throw error;
      }
      return isGap ? this.#parser.flush() : [];
    }
  }

  async #open(path: string, number: number): Promise<void> {
    const next = await open(path, 'r');
    await this.#file?.close();
    this.#file = next;
    this.#inode = (await next.stat()).ino;
    this.#number = number;
    this.#position = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
  }
}
