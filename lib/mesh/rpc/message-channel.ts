import type { Stream } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { MessageTooLargeError } from '../errors';
import { encodeJson, FrameDecoder } from '../framing';
import { BusyError } from './busy-error';

/** The largest message of a call or its answer. */
export const MAXIMUM_MESSAGE = 4 << 20;
/** Bytes that may wait for the other end to take them; it may be slow, or read nothing on purpose. */
export const MAXIMUM_UNTAKEN = 16 << 20;
/** Bytes that may wait before an end that answers reads no more questions. */
const UNTAKEN_ANSWERS = 1 << 20;

/** What a stream says when bytes have gone out, or never will. */
const MOVEMENTS = ['drain', 'idle', 'close'] as const;

/** Messages on a libp2p stream, each a frame of JSON. */
export class MessageChannel<In, Out> {
  readonly #stream: Stream;
  readonly #onMessage: (message: In) => void;
  readonly #received = new FrameDecoder(tooLong);
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
    const bytes = encodeJson(message);
    if (bytes.length > MAXIMUM_MESSAGE) throw new MessageTooLargeError(what, bytes.length, MAXIMUM_MESSAGE);
    if (this.#stream.writeBufferLength + bytes.length > room) throw new BusyError();
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
    this.#received.push(chunk);
    this.#parse();
  }

  #parse(): void {
    try {
      while (!this.#held) {
        const text = this.#received.next(MAXIMUM_MESSAGE);
        if (!text) return;
        this.#onMessage(JSON.parse(text.toString()) as In);
      }
    } catch {
      this.close();
    }
  }
}

const tooLong = (bytes: number, limit: number) => new MessageTooLargeError('a message', bytes, limit);
