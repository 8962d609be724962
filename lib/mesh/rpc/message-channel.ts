import type { Stream } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { MessageTooLargeError } from '../errors';

/** The largest message of a call or its answer. */
export const MAXIMUM_MESSAGE = 4 << 20;

/** JSON messages on a libp2p stream: four bytes of length, then the text. */
export class MessageChannel<In, Out> {
  readonly #stream: Stream;
  readonly #onMessage: (message: In) => void;
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(stream: Stream, onMessage: (message: In) => void, onClose: () => void) {
    this.#stream = stream;
    this.#onMessage = onMessage;
    stream.addEventListener('message', (event) => this.#take(event.data.subarray()));
    stream.addEventListener('close', onClose);
    stream.addEventListener('remoteCloseWrite', () => this.close());
  }

  get open(): boolean {
    return this.#stream.status === 'open' && this.#stream.remoteWriteStatus === 'writable';
  }

  /** @throws {MessageTooLargeError} */
  send(message: Out, what: string): void {
    const text = JSON.stringify(message);
    const bytes = Buffer.allocUnsafe(4 + Buffer.byteLength(text));
    if (bytes.length > MAXIMUM_MESSAGE) throw new MessageTooLargeError(what, bytes.length, MAXIMUM_MESSAGE);
    bytes.writeUInt32BE(bytes.length - 4);
    bytes.write(text, 4);
    this.#stream.send(bytes);
  }

  close(): void {
    this.#stream.abort(new Error('closed'));
  }

  #take(chunk: Uint8Array): void {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    while (this.#size >= 4) {
      if (this.#parts[0]!.length < 4) this.#parts = [Buffer.concat(this.#parts)];
      const [head] = this.#parts as [Uint8Array];
      const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
      if (length > MAXIMUM_MESSAGE) {
        this.close();
        return;
      }
      if (this.#size < 4 + length) return;
      const all =
        this.#parts.length === 1
          ? Buffer.from(head.buffer, head.byteOffset, head.length)
          : Buffer.concat(this.#parts);
      const rest = all.subarray(4 + length);
      this.#parts = rest.length > 0 ? [rest] : [];
      this.#size = rest.length;
      try {
        this.#onMessage(JSON.parse(all.toString('utf8', 4, 4 + length)) as In);
      } catch {
        this.close();
        return;
      }
    }
  }
}
