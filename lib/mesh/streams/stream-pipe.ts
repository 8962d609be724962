import type { Stream } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { GaruaError } from '../../base';
import { MessageTooLargeError, StreamBrokenError } from '../errors';
import { encodeJson, FrameDecoder, LENGTH_BYTES } from '../framing';
import type { ByteStream } from '../mesh';

/** Bytes handed to libp2p at once: it encrypts them in one go. */
const PIECE = 64 << 10;
/** Bytes read ahead of the reader; beyond, the other end is told to wait. */
const READ_AHEAD = 512 << 10;
/** Below this, a rate says nothing. */
const MEASURABLE = 256 << 10;

/** What a finished stream says about the way it came. */
export type OnRate = (peerId: string, bytesPerSecond: number) => void;

/** A libp2p stream as a ByteStream, and as messages of JSON while it is being set up. */
export class StreamPipe implements ByteStream {
  readonly peerId: string;
  readonly #stream: Stream;
  readonly #onRate: OnRate | undefined;
  readonly #chunks: Uint8Array[] = [];
  #queued = 0;
  #received = 0;
  #ended = false;
  #resuming = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  /** Called once before the first byte of the content goes or is asked for. */
  onUse: (() => void) | undefined;
  /** Since when bytes may come, and how long they could so far, in ms. */
  #openSince: number | undefined;
  #openMs = 0;

  constructor(stream: Stream, peerId: string, onRate?: OnRate) {
    this.#stream = stream;
    this.peerId = peerId;
    this.#onRate = onRate;
    stream.addEventListener('message', (event) => this.#take(event.data.subarray()));
    stream.addEventListener('end', () => this.#finish());
    stream.addEventListener('close', (event) => {
      if (event.error) this.#fail(event.error);
      else if (stream.readBufferLength === 0) this.#finish();
      this.#wake?.();
    });
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#use();
    for (let start = 0; start < chunk.length; start += PIECE) {
      await this.#send(chunk.subarray(start, start + PIECE));
    }
  }

  async end(): Promise<void> {
    this.#use();
    try {
      await this.#stream.close();
    } catch (error) {
      throw this.#broken(error);
    }
  }

  async *read(): AsyncIterable<Uint8Array> {
    this.#use();
    let whole = false;
    try {
      for (;;) {
        const chunk = await this.#next();
        if (!chunk) break;
        yield chunk;
      }
      whole = true;
      this.#reportRate();
    } finally {
      if (!whole) this.abort();
    }
  }

  abort(error: Error = new Error('broken off')): void {
    this.#fail(error);
    this.#stream.abort(error);
  }

  /** Sends one JSON message ahead of the content. @throws {MessageTooLargeError} */
  async sendMessage(message: unknown, limit: number): Promise<void> {
    const frame = encodeJson(message);
    if (frame.length > limit + LENGTH_BYTES) throw tooLong(frame.length - LENGTH_BYTES, limit);
    await this.#send(frame);
  }

  /** Reads one JSON message ahead of the content. */
  async readMessage<T>(limit: number, signal: AbortSignal): Promise<T> {
    const onAbort = () => this.abort(new StreamBrokenError('the start of a stream'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      const received = new FrameDecoder(tooLong);
      for (;;) {
        const text = received.next(limit);
        if (text) {
          this.#putBack(received.rest());
          return JSON.parse(text.toString()) as T;
        }
        const chunk = await this.#next();
        if (!chunk) throw new StreamBrokenError('the start of a stream');
        received.push(chunk);
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  onClose(listener: () => void): void {
    this.#stream.addEventListener('close', listener);
  }

  #use(): void {
    const { onUse } = this;
    this.onUse = undefined;
    onUse?.();
  }

  async #send(piece: Uint8Array): Promise<void> {
    if (this.#error) throw this.#broken(this.#error);
    try {
      if (!this.#stream.send(piece)) await this.#stream.onDrain();
      // `drain` also comes when the connection has room but the other end's window has none.
      while (this.#stream.writeBufferLength >= PIECE) await this.#movement();
    } catch (error) {
      throw this.#broken(this.#error ?? error);
    }
  }

  /** Something has gone out, or never will. */
  #movement(): Promise<void> {
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      const settle = () => {
        for (const type of ['drain', 'idle', 'close'] as const) stream.removeEventListener(type, settle);
        if (stream.status === 'open' || stream.status === 'closing') setImmediate(resolve);
        else reject(this.#error ?? new StreamBrokenError(`a stream with ${this.peerId}`));
      };
      for (const type of ['drain', 'idle', 'close'] as const) stream.addEventListener(type, settle);
      // It may have ended in the same turn as the last movement: nothing more would come.
      if (stream.status !== 'open' && stream.status !== 'closing') settle();
    });
  }

  #putBack(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.unshift(chunk);
    this.#queued += chunk.length;
  }

  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#queued -= chunk.length;
        if (this.#queued < READ_AHEAD) this.#open();
        return chunk;
      }
      if (this.#error) throw this.#broken(this.#error);
      if (this.#ended) return undefined;
      this.#open();
      if (this.#chunks.length > 0 || this.#ended || this.#error) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
    this.#received += chunk.length;
    this.#openSince ??= performance.now();
    if (!this.#resuming) this.#pauseWhenFull();
    this.#wake?.();
  }

  #pauseWhenFull(): void {
    if (this.#queued < READ_AHEAD || this.#stream.readStatus !== 'readable') return;
    this.#stream.pause();
    this.#openMs += performance.now() - (this.#openSince ?? performance.now());
    this.#openSince = undefined;
  }

  #open(): void {
    if (this.#stream.readStatus !== 'paused') return;
    this.#openSince = performance.now();
    // It hands over what it holds before it opens its window: a pause in between would be forgotten, and all that the
    // other end has to send would come in.
    this.#resuming = true;
    this.#stream.resume();
    this.#resuming = false;
    this.#pauseWhenFull();
  }

  #finish(): void {
    this.#ended = true;
    this.#wake?.();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#wake?.();
  }

  #reportRate(): void {
    const milliseconds = this.#openMs + (this.#openSince ? performance.now() - this.#openSince : 0);
    if (this.#received >= MEASURABLE && milliseconds > 0) {
      this.#onRate?.(this.peerId, (this.#received / milliseconds) * 1000);
    }
  }

  #broken(error: unknown): Error {
    if (error instanceof GaruaError) return error;
    return new StreamBrokenError(`a stream with ${this.peerId}`, { cause: error });
  }
}

const tooLong = (bytes: number, limit: number) =>
  new MessageTooLargeError('the header of a stream', bytes, limit);
