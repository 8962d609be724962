import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
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

const NO_PAGES = /\.(log|txt)$/;
/** So much of its log goes with a container, in bytes. */
const LOG_TAIL = 256 << 10;
const LINE_FEED = 10;
const PAGES = /^pages-\d+\.img$/;

/**
 * The source's end of a transfer. Calls are made one after another; each resolves when the target has put in place
 * what was sent.
 */
export class Sender {
  readonly #stream: ByteStream;
  readonly #thread = new TransferThread();
  readonly #answers: FrameReader<TargetMessage>;
  #sent = 0;

  private constructor(stream: ByteStream) {
    this.#stream = stream;
    this.#answers = new FrameReader(stream.read());
  }

  /** Waits for the target's welcome on a stream that was opened for a transfer. */
  static async open(stream: ByteStream): Promise<Sender> {
    const sender = new Sender(stream);
    const welcome = await sender.#answer('welcome');
    await sender.#thread.run('limitPages', [welcome.pageLimit]);
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
      await this.#thread.run('beginMemory', [await processes()]);
      for (let done = false; !done; ) {
        this.#check(signal);
        const batch = await this.#thread.run('nextMemory', []);
        ({ done } = batch);
        if (batch.bytes.length > 0) await this.#send({ kind: 'pages' }, batch.bytes);
        pagesSent += batch.bytes.length / 4096;
        onProgress?.({ phase: 'warming up', done: pagesSent, total: 0, unit: 'pages' });
      }
      await this.#sync();
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
    const before = this.#sent;
    await this.#thread.run('noteMapped', [await processes()]);
    for (const { name, path, mountedAt } of folders) {
      await this.#thread.run('beginFolder', [path, mountedAt]);
      for (let done = false; !done; ) {
        this.#check(signal);
        const batch = await this.#thread.run('nextFolder', [path]);
        ({ done } = batch);
        const { changes, bytes } = batch;
        if (changes.length > 0) await this.#send({ kind: 'folder', folder: name, changes }, bytes);
        onProgress?.({ phase: 'copying files', done: this.#sent - before, total: 0, unit: 'bytes' });
      }
    }
    await this.#thread.run('noteMapped', [await processes()]);
    await this.#sync();
    return this.#sent - before;
  }

  /** Sends the files of a dump; of its memory only pages that were not sent ahead. Answers the bytes that it took. */
  async sendDump(folder: string, { signal }: LongCall = {}): Promise<number> {
    const before = this.#sent;
    const entries = await readdir(folder, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !NO_PAGES.test(entry.name));
    for (const { name: file } of files) {
      this.#check(signal);
      if (PAGES.test(file)) await this.#sendPages(join(folder, file), file);
      else await this.#sendPlain(join(folder, file), file);
    }
    await this.#sync();
    return this.#sent - before;
  }

  /** Sends the end of a log, from the start of a line on. */
  async sendLog(path: string): Promise<void> {
    const { size } = await stat(path);
    let offset = Math.max(0, size - LOG_TAIL);
    let sent = 0;
    for (let cut = offset > 0; ; cut = false) {
      const { bytes } = await this.#thread.run('readPlain', [path, offset]);
      if (bytes.length === 0) break;
      offset += bytes.length;
      const piece = cut ? bytes.subarray(bytes.indexOf(LINE_FEED) + 1) : bytes;
      await this.#send({ kind: 'log', offset: sent }, piece);
      sent += piece.length;
    }
    await this.#sync();
  }

  /** Says that all has been sent, and lets the target put away what it needs no more. */
  async finish(): Promise<void> {
    await this.#send({ kind: 'done' });
    await this.#answer('synced');
    await this.close();
  }

  /** Ends the transfer. Before `finish` the target takes that for the end of the source. */
  async close(): Promise<void> {
    this.#stream.abort();
    await this.#thread.close();
  }

  async #sendPages(path: string, file: string): Promise<void> {
    await this.#thread.run('beginDump', [path]);
    let next = this.#nextDump();
    for (;;) {
      const { runs, bytes, digest } = await next;
      if (digest !== undefined) return this.#send({ kind: 'dump-end', file, digest });
      // The container is frozen: what follows is read while this is sent.
      next = this.#nextDump();
      await this.#send({ kind: 'dump', file, runs }, bytes);
    }
  }

  #nextDump() {
    const next = this.#thread.run('nextDump', []);
    // It may fail while nobody waits for it yet.
    next.catch(() => {});
    return next;
  }

  async #sendPlain(path: string, file: string): Promise<void> {
    for (let offset = 0; ; ) {
      const { bytes } = await this.#thread.run('readPlain', [path, offset]);
      if (bytes.length === 0 && offset > 0) return;
      await this.#send({ kind: 'plain', file, offset }, bytes);
      if (bytes.length === 0) return;
      offset += bytes.length;
    }
  }

  async #send(message: SourceMessage, bytes?: Uint8Array): Promise<void> {
    const head = encodeFrame(message, bytes?.length);
    this.#sent += head.length + (bytes?.length ?? 0);
    try {
      await this.#stream.write(head);
      if (bytes && bytes.length > 0) await this.#stream.write(bytes);
    } catch (error) {
      // The target may have said why before it broke off.
      const last = await this.#answers.next().catch(() => undefined);
      throw last?.message.kind === 'failed' ? fromErrorDocument(last.message.error) : error;
    }
  }

  async #sync(): Promise<void> {
    await this.#send({ kind: 'sync' });
    await this.#answer('synced');
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
