import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '../../base';
import type { BlobReader, BlobSource, Descriptor, LayerOrigin } from '../image';
import { BlobMissingError, BlobSizeError, DigestMismatchError, DownloadFailedError } from './errors';

/** Attempts without a single new byte after which a download is given up. */
const ATTEMPTS = 5;
const LONGEST_WAIT_MS = 60_000;
const REPLAY_PIECE = 256 << 10;
/** The event loop gets its turn at least this often while bytes pour in. */
const TURN_MS = 5;

export interface DownloadOptions {
  descriptor: Descriptor;
  /** Asked in this order. */
  sources: BlobSource[];
  /** Takes the bytes; slow when the pipeline is. */
  write(chunk: Uint8Array): Promise<void>;
  /** Told after each chunk. */
  onBytes(count: number): void;
  signal: AbortSignal;
  /** First wait between attempts in milliseconds; doubles each time. */
  backoffMs: number;
}

/** Fetches one blob, going on after failures where it stopped, and verifies its size and digest. */
export class BlobDownload {
  readonly #hash: Hash = createHash('sha256');
  readonly #pace = new Pace();
  #received = 0;
  #replayed = 0;
  #origin: LayerOrigin | undefined;

  constructor(private readonly options: DownloadOptions) {}

  /** Where the last bytes came from. */
  get origin(): LayerOrigin | undefined {
    return this.#origin;
  }

  /** Bytes that came from a source now. */
  get fetched(): number {
    return this.#received - this.#replayed;
  }

  /** Feeds bytes that an earlier attempt left on disk. */
  async replay(file: string, bytes: number): Promise<void> {
    const handle = await open(file, 'r');
    try {
      const buffer = Buffer.allocUnsafe(REPLAY_PIECE);
      while (this.#received < bytes) {
        throwIfAborted(this.options.signal, 'the pull');
        const wanted = Math.min(REPLAY_PIECE, bytes - this.#received);
        const { bytesRead } = await handle.read(buffer, 0, wanted);
        if (bytesRead === 0)
          throw new BlobSizeError(this.options.descriptor.digest, 'a shrinking file', bytes);
        await this.#accept(buffer.subarray(0, bytesRead));
        this.#replayed = this.#received;
      }
    } finally {
      await handle.close();
    }
  }

  /** Fetches the rest. @throws {DownloadFailedError} {BlobSizeError} {DigestMismatchError} */
  async fetch(): Promise<void> {
    const { descriptor } = this.options;
    for (let attempt = 1; this.#received < descriptor.size; attempt += 1) {
      const start = this.#received;
      const failure = await this.#attempt();
      if (!failure) break;
      if (this.#received > start) attempt = 0;
      if (attempt >= ATTEMPTS) throw new DownloadFailedError(descriptor.digest, ATTEMPTS, failure);
      await this.#wait(failure, attempt);
    }
    const got = `sha256:${this.#hash.digest('hex')}`;
    if (got !== descriptor.digest) throw new DigestMismatchError('a layer blob', descriptor.digest, got);
  }

  /** Reads until the end; answers a failure that may pass, throws others. */
  async #attempt(): Promise<unknown> {
    let reader: BlobReader | undefined;
    try {
      reader = await this.#open();
      await this.#readAll(reader);
      return undefined;
    } catch (error) {
      throwIfAborted(this.options.signal, 'the pull');
      if ((error as { temporary?: boolean }).temporary === true) return error;
      throw error;
    } finally {
      reader?.close();
    }
  }

  async #open(): Promise<BlobReader> {
    const { descriptor, sources, signal } = this.options;
    const own = sources.at(-1);
    for (const source of sources) {
      try {
        const reader = await source.openBlob(descriptor, this.#received, signal);
        if (!reader) continue;
        this.#origin = reader.origin ?? source.origin;
        return reader;
      } catch (error) {
        // The sources before the image's own are a short cut; when one is in trouble the next is asked.
        if (source === own || signal.aborted) throw error;
      }
    }
    throw new BlobMissingError(descriptor.digest);
  }

  async #readAll(reader: BlobReader): Promise<void> {
    const { digest, size } = this.options.descriptor;
    for (;;) {
      const chunk = await reader.read();
      throwIfAborted(this.options.signal, 'the pull');
      if (!chunk) break;
      if (this.#received + chunk.length > size) throw new BlobSizeError(digest, 'more', size);
      await this.#accept(chunk);
    }
    if (this.#received < size) throw new BlobSizeError(digest, `${this.#received}`, size);
  }

  async #accept(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    await this.options.write(chunk);
    this.#received += chunk.length;
    this.options.onBytes(chunk.length);
    await this.#pace.turn();
  }

  async #wait(failure: unknown, attempt: number): Promise<void> {
    const asked = (failure as { retryAfterMs?: number }).retryAfterMs ?? 0;
    // Jitter, so that the hosts of a site do not come back all at once.
    const backoff = this.options.backoffMs * 2 ** attempt * (0.5 + Math.random() / 2);
    const wait = Math.min(Math.max(asked, backoff), LONGEST_WAIT_MS);
    await sleep(wait, undefined, { signal: this.options.signal }).catch(() => {});
    throwIfAborted(this.options.signal, 'the pull');
  }
}

/** Lets other events in when promises that are already settled would keep the event loop from turning. */
class Pace {
  #since = performance.now();
  #scheduled = false;

  async turn(): Promise<void> {
    // The loop turned by itself when this immediate ran before the time was up.
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#since = performance.now();
      });
    }
    if (performance.now() - this.#since < TURN_MS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
