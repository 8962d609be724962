import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AbortedError, fromErrorDocument, type LongCall } from '../../base';
import { type ByteStream, StreamBrokenError } from '../../mesh';
import { isWarm, type Round } from './memory/rounds';
import { encodeFrame, FrameReader } from './wire/frames';
import type { SourceMessage, TargetMessage } from './wire/messages';
import { TransferThread } from './worker/transfer-thread';

/** A folder that is copied, and what the target calls it. */
export interface SentFolder {
  name: string;
  path: string;
  /** Where processes that use it see it. */
  mountedAt: readonly string[];
}

export interface FolderOptions extends LongCall {
  /** Those that may write to the folders; asked before and after. Default: none. */
  processes?: (() => Promise<number[]>) | undefined;
}

export interface WarmUpOptions extends LongCall {
  /** Called after each round with all rounds so far. */
  onRound?: ((rounds: readonly Round[]) => void) | undefined;
}

export interface DumpOptions extends LongCall {
  /** Resolves once all of the dump is written, and rejects when it failed. Default: it is there. */
  written?: Promise<unknown> | undefined;
}

/** How often a dump that is being written is looked at, in milliseconds. */
const LOOK_MS = 2;
/** So much of its log goes with a container, in bytes. */
const LOG_TAIL = 256 << 10;
const LINE_FEED = 10;

/**
 * The source's end of a transfer. What was sent is on its way when a call resolves, and in place once `settle` or
 * `finish` has resolved as well. Folders, or a log, and a dump may be sent at the same time.
 */
export class Sender {
  readonly #stream: ByteStream;
  /** One for memory and one for files: a container that stands still waits for neither on account of the other. */
  readonly #memory = new TransferThread();
  readonly #files = new TransferThread();
  readonly #answers: FrameReader<TargetMessage>;
  /** What the target has said last of all. */
  #lastWords: Promise<TargetMessage | undefined> | undefined;
  /** The frame that goes out. */
  #sending: Promise<void> = Promise.resolve();
  #sent = 0;

  private constructor(stream: ByteStream) {
    this.#stream = stream;
    this.#answers = new FrameReader(stream.read());
  }

  /** Waits for the target's welcome on a stream that was opened for a transfer. */
  static async open(stream: ByteStream): Promise<Sender> {
    const sender = new Sender(stream);
    const welcome = await sender.#answer('welcome');
    await sender.#memory.run('limitPages', [welcome.pageLimit]);
    return sender;
  }

  /** All bytes that went to the target so far. */
  get bytesSent(): number {
    return this.#sent;
  }

  /**
   * Sends memory of running processes ahead, in rounds, until another round would not pay. `processes` is asked
   * again before each.
   *
   * @throws {AbortedError} {TransferFailedError}
   */
  async warmUp(
    processes: () => Promise<number[]>,
    { signal, onProgress, onRound }: WarmUpOptions = {},
  ): Promise<Round[]> {
    const rounds: Round[] = [];
    while (!isWarm(rounds)) {
      const [start, before] = [performance.now(), this.#sent];
      let pagesSent = 0;
      await this.#memory.run('beginMemory', [await processes()]);
      for (let done = false; !done; ) {
        this.#check(signal);
        const batch = await this.#memory.run('nextMemory', []);
        ({ done } = batch);
        if (batch.bytes.length > 0) await this.#send({ kind: 'pages' }, batch.bytes);
        pagesSent += batch.bytes.length / 4096;
        onProgress?.({ phase: 'warming up', done: pagesSent, total: 0, unit: 'pages' });
      }
      await this.settle();
      rounds.push({ pagesSent, bytesSent: this.#sent - before, ms: Math.round(performance.now() - start) });
      onRound?.(rounds);
    }
    return rounds;
  }

  /**
   * Makes the target's copies of these folders like the folders are now: the first time all of them, then what has
   * changed. Answers the bytes that it took.
   *
   * @throws {AbortedError} {TransferFailedError}
   */
  async sendFolders(
    folders: readonly SentFolder[],
    { processes = async () => [], signal, onProgress }: FolderOptions = {},
  ): Promise<number> {
    let sent = 0;
    await this.#files.run('noteMapped', [await processes()]);
    for (const { name, path, mountedAt } of folders) {
      await this.#files.run('beginFolder', [path, mountedAt]);
      for (let done = false; !done; ) {
        this.#check(signal);
        const batch = await this.#files.run('nextFolder', [path]);
        ({ done } = batch);
        const { changes, bytes } = batch;
        if (changes.length > 0) sent += await this.#send({ kind: 'folder', folder: name, changes }, bytes);
        onProgress?.({ phase: 'copying files', done: sent, total: 0, unit: 'bytes' });
      }
    }
    await this.#files.run('noteMapped', [await processes()]);
    return sent;
  }

  /** Sends the files of a dump while they are written; of its memory only pages that were not sent ahead. */
  async sendDump(folder: string, { signal, written = Promise.resolve() }: DumpOptions = {}): Promise<void> {
    await this.#sendPages(folder, written, signal);
    await this.#memory.run('beginImages', [folder]);
    for (;;) {
      this.#check(signal);
      const batch = await this.#memory.run('nextImages', []);
      if (!batch) break;
      await this.#send({ kind: 'images', pieces: batch.pieces }, batch.bytes);
    }
  }

  /** Sends the end of a log, from the start of a line on. */
  async sendLog(path: string): Promise<void> {
    const { size } = await stat(path);
    let offset = Math.max(0, size - LOG_TAIL);
    let sent = 0;
    for (let cut = offset > 0; ; cut = false) {
      const { bytes } = await this.#files.run('readPiece', [path, offset]);
      if (bytes.length === 0) break;
      offset += bytes.length;
      const piece = cut ? bytes.subarray(bytes.indexOf(LINE_FEED) + 1) : bytes;
      await this.#send({ kind: 'log', offset: sent }, piece);
      sent += piece.length;
    }
  }

  /**
   * Resolves once the target has put in place all that was sent. `toDisk`: and its files are on the disk, so that
   * nobody has to wait for that while the container stands still.
   */
  async settle({ toDisk = false } = {}): Promise<void> {
    await this.#send({ kind: 'sync', toDisk });
    await this.#answer('synced');
  }

  /** Says that all has been sent, and resolves once it is in place; the target puts away what it needs no more. */
  async finish(): Promise<void> {
    await this.#send({ kind: 'done' });
    await this.#answer('synced');
    // A container stands still until this resolves: it does not wait for threads to end.
    void this.close();
  }

  /** Ends the transfer. Before `finish` the target takes that for the end of the source. */
  async close(): Promise<void> {
    this.#stream.abort();
    await Promise.all([this.#memory.close(), this.#files.close()]);
  }

  async #sendPages(
    folder: string,
    written: Promise<unknown>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let isWritten = false;
    const end = written.then(() => {
      isWritten = true;
    });
    // It may fail while nobody waits for it; so may what is read ahead.
    end.catch(() => {});
    const look = () => {
      const batch = this.#memory.run('nextDump', [folder]);
      batch.catch(() => {});
      return { batch, isLast: isWritten };
    };
    for (let looking = look(); ; ) {
      this.#check(signal);
      const batch = await looking.batch;
      if (batch) {
        const { file, runs, bytes } = batch;
        // What follows is read while this is sent.
        looking = look();
        await this.#send({ kind: 'dump', file, runs }, bytes);
      } else {
        if (looking.isLast) break;
        await Promise.race([end, delay(LOOK_MS)]);
        looking = look();
      }
    }
    for (const { file, digest } of await this.#memory.run('endDump', [])) {
      await this.#send({ kind: 'dump-end', file, digest });
    }
  }

  /** Sends one frame after another, whoever sends. Answers the bytes that it took. */
  async #send(message: SourceMessage, bytes: Uint8Array = new Uint8Array(0)): Promise<number> {
    const head = encodeFrame(message, bytes.length);
    const size = head.length + bytes.length;
    this.#sent += size;
    const sending = this.#sending.then(async () => {
      await this.#stream.write(head);
      if (bytes.length > 0) await this.#stream.write(bytes);
    });
    this.#sending = sending.catch(() => {});
    try {
      await sending;
    } catch (error) {
      // The target may have said why before it broke off.
      this.#lastWords ??= this.#answers.next().then((frame) => frame?.message);
      const last = await this.#lastWords.catch(() => undefined);
      throw last?.kind === 'failed' ? fromErrorDocument(last.error) : error;
    }
    return size;
  }

  async #answer<K extends TargetMessage['kind']>(kind: K): Promise<Extract<TargetMessage, { kind: K }>> {
    const frame = await this.#answers.next();
    if (frame?.message.kind === 'failed') throw fromErrorDocument(frame.message.error);
    if (frame?.message.kind !== kind) throw new StreamBrokenError('a transfer');
    return frame.message as Extract<TargetMessage, { kind: K }>;
  }

  #check(signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw new AbortedError('the migration', { cause: signal.reason });
  }
}
