import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { exists, throwIfAborted } from '../../base';
import type { LogLine, LogOptions } from '../container';
import { invalidField } from '../errors';
import type { ContainerFolder } from '../paths';
import { LogParser } from './k8s-format';

const CHUNK = 64 * 1024;
/** A busy log is read in batches, a few dozen times a second, not at each of its writes. */
const BATCH_MS = 20;
/** For file systems whose changes are not reported. */
const LOOK_AGAIN_MS = 1_000;

/** @throws {InvalidArgumentError} */
export function checkLogOptions({ tail, since }: LogOptions): void {
  if (tail !== undefined && !(Number.isSafeInteger(tail) && tail >= 0)) {
    throw invalidField('tail', `${tail} is not a number of lines`);
  }
  if (since !== undefined && Number.isNaN(Date.parse(since))) {
    throw invalidField('since', `"${since}" is not a time`, 'Write it as in 2026-01-31T12:00:00Z.');
  }
}

/**
 * The lines of a container's log. With `follow` it goes on until the log is removed; when the signal fires it
 * ends after the lines that are there by then. Without `follow` the signal makes it reject.
 */
export async function* readLog(folder: ContainerFolder, options: LogOptions): AsyncGenerator<LogLine> {
  const { tail, follow = false, signal } = options;
  const since = options.since === undefined ? undefined : nanoseconds(options.since);
  const wanted = (line: LogLine) => since === undefined || nanoseconds(line.time) > since;
  await using log = new LogFile(folder);
  await log.watch(follow);
  const last: LogLine[] = [];
  for await (const line of log.available(follow ? undefined : signal)) {
    if (!wanted(line)) continue;
    if (tail === undefined) yield line;
    else {
      last.push(line);
      if (last.length > tail) last.shift();
    }
  }
  yield* last;
  if (!follow) {
    yield* log.flush().filter(wanted);
    return;
  }
  while (!signal?.aborted && (await log.changed(signal))) {
    for await (const line of log.available(undefined)) if (wanted(line)) yield line;
  }
  for await (const line of log.available(undefined)) if (wanted(line)) yield line;
  yield* log.flush().filter(wanted);
}

/** Since 1970; a log has lines that are less than a millisecond apart. */
function nanoseconds(time: string): bigint {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  const seconds = Math.floor(Date.parse(time) / 1000);
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
}

/** The log file, which conmon replaces by a new one when it grows too large. */
class LogFile implements AsyncDisposable {
  readonly #folder: ContainerFolder;
  readonly #parser = new LogParser();
  #file: FileHandle | undefined;
  #inode: number | undefined;
  #position = 0;
  #watcher: FSWatcher | undefined;
  #dirty = true;
  #wake: (() => void) | undefined;

  constructor(folder: ContainerFolder) {
    this.#folder = folder;
  }

  /** Begins to look for changes, before anything is read, so that none is missed. */
  async watch(follow: boolean): Promise<void> {
    if (!follow || !(await exists(this.#folder.logs))) return;
    this.#watcher = watch(this.#folder.logs, () => {
      this.#dirty = true;
      this.#wake?.();
    });
    this.#watcher.on('error', () => this.#wake?.());
  }

  /** The complete lines up to where the log ends now. */
  async *available(signal: AbortSignal | undefined): AsyncGenerator<LogLine> {
    this.#dirty = false;
    const buffer = Buffer.allocUnsafe(CHUNK);
    // A fast writer must not keep this going for ever: what is read is what was there at the start.
    let limit = await this.#size();
    for (;;) {
      throwIfAborted(signal, 'reading the log');
      const bytesRead =
        this.#file && limit > 0 ? (await this.#file.read(buffer, 0, CHUNK, this.#position)).bytesRead : 0;
      if (bytesRead > 0) {
        this.#position += bytesRead;
        limit -= bytesRead;
        yield* this.#parser.push(buffer.subarray(0, bytesRead));
        continue;
      }
      if (!(await this.#isReplaced())) return;
      // conmon writes no more into the old file: its rest first, then the new one.
      limit = await this.#size();
      if (limit === 0) {
        await this.#openNamed();
        limit = await this.#size();
      }
    }
  }

  /** Waits for a change; false when the log is gone for good. */
  async changed(signal: AbortSignal | undefined): Promise<boolean> {
    await sleep(BATCH_MS);
    if (!this.#dirty && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => this.#wake?.(), LOOK_AGAIN_MS);
        this.#wake = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', this.#wake!);
          this.#wake = undefined;
          resolve();
        };
        signal?.addEventListener('abort', this.#wake, { once: true });
      });
    }
    if (!this.#watcher) await this.watch(true);
    return exists(this.#folder.record);
  }

  flush(): LogLine[] {
    return this.#parser.flush();
  }

  async #size(): Promise<number> {
    if (!this.#file) return 0;
    return Math.max(0, (await this.#file.stat()).size - this.#position);
  }

  /** Whether another file has the log's name now; also the first time, when none is open. */
  async #isReplaced(): Promise<boolean> {
    const named = await stat(this.#folder.log).catch(() => undefined);
    return named !== undefined && named.ino !== this.#inode;
  }

  async #openNamed(): Promise<void> {
    const next = await open(this.#folder.log, 'r').catch(() => undefined);
    // Removed in this moment: what there was has been read.
    if (!next) return;
    await this.#file?.close();
    this.#file = next;
    this.#inode = (await this.#file.stat()).ino;
    this.#position = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watcher?.close();
    await this.#file?.close();
  }
}
