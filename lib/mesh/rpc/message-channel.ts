import type { Stream } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { MessageTooLargeError } from '../errors';
import { BusyError } from './busy-error';

/** The largest message of a call or its answer. */
export const MAXIMUM_MESSAGE = 4 << 20;
/** Bytes that may wait for the other end to take them; it may be slow, or read nothing on purpose. */
export const MAXIMUM_UNTAKEN = 16 << 20;
/** Bytes that may wait before an end that answers reads no more questions. */
const UNTAKEN_ANSWERS = 1 << 20;

/** What a stream says when bytes have gone out, or never will. */
const MOVEMENTS = ['drain', 'idle', 'close'] as const;

/** JSON messages on a libp2p stream: four bytes of length, then the text. */
export class MessageChannel<In, Out> {
  readonly #stream: Stream;
  readonly #onMessage: (message: In) => void;
  #parts: Uint8Array[] = [];
  #size = 0;
  #held = false;

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

  /** `room`: how many bytes may wait with it. @throws {MessageTooLargeError, BusyError} */
  send(message: Out, what: string, room = MAXIMUM_UNTAKEN): void {
    const text = JSON.stringify(message);
    const bytes = Buffer.allocUnsafe(4 + Buffer.byteLength(text));
    if (bytes.length > MAXIMUM_MESSAGE) throw new MessageTooLargeError(what, bytes.length, MAXIMUM_MESSAGE);
    if (this.#stream.writeBufferLength + bytes.length > room) throw new BusyError();
    bytes.writeUInt32BE(bytes.length - 4);
    bytes.write(text, 4);
    this.#stream.send(bytes);
  }

  /** Takes no more messages until the other end has taken what it was sent. Only for the end that answers. */
  holdUntilTaken(): void {
    if (this.#held || this.#stream.writeBufferLength <= UNTAKEN_ANSWERS) return;
    this.#held = true;
    this.#stream.pause();
    const go = () => {
      if (this.open && this.#stream.writeBufferLength > UNTAKEN_ANSWERS) return;
      for (const type of MOVEMENTS) this.#stream.removeEventListener(type, look);
      this.#held = false;
      if (!this.open) return;
      this.#parse();
      if (!this.#held && this.open) this.#stream.resume();
    };
    // The stream goes on sending only after it has said that there is room.
    const look = () => setImmediate(go);
    for (const type of MOVEMENTS) this.#stream.addEventListener(type, look);
  }

  close(): void {
    this.#stream.abort(new Error('closed'));
  }

  #take(chunk: Uint8Array): void {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    this.#parse();
  }

  #parse(): void {
    while (this.#size >= 4 && !this.#held) {
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
