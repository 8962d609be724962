import { StreamBrokenError } from '../../../mesh';

/** One message of a transfer: JSON data and, with it, bytes. */
export interface Frame<T> {
  message: T;
  bytes: Uint8Array;
}

const HEAD = 8;
const MAXIMUM_MESSAGE = 8 << 20;
const MAXIMUM_BYTES = 16 << 20;

/** Two lengths, the message as JSON, the bytes. */
export function encodeFrame(message: unknown, size = 0): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  const head = Buffer.allocUnsafe(HEAD + text.length);
  head.writeUInt32BE(text.length, 0);
  head.writeUInt32BE(size, 4);
  text.copy(head, HEAD);
  return head;
}

/** Splits a stream of bytes into frames. */
export class FrameReader<T> {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /**
   * The next frame, or undefined where the stream ends between two of them. The bytes are the caller's own.
   *
   * @throws {StreamBrokenError} when it ends within one, or what comes is no frame
   */
  async next(): Promise<Frame<T> | undefined> {
    if (this.#rest.length === 0 && !(await this.#more())) return undefined;
    const head = Buffer.from(await this.#exactly(HEAD));
    const [text, size] = [head.readUInt32BE(0), head.readUInt32BE(4)];
    if (text > MAXIMUM_MESSAGE || size > MAXIMUM_BYTES) throw new StreamBrokenError('a transfer');
    const message = JSON.parse(Buffer.from(await this.#exactly(text)).toString('utf8')) as T;
    return { message, bytes: await this.#exactly(size) };
  }

  async #exactly(size: number): Promise<Uint8Array> {
    const whole = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      if (this.#rest.length === 0 && !(await this.#more())) throw new StreamBrokenError('a transfer');
      const part = this.#rest.subarray(0, size - filled);
      whole.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return whole;
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#source.next();
    if (done) return false;
    this.#rest = value;
    return true;
  }
}
