import type { MessageStream } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { MembershipError } from '../errors';
import { encodeJson, FrameDecoder, LENGTH_BYTES } from '../framing';

/**
 * Messages on a bare connection, before there are streams, each a frame of JSON. Give the connection back with
 * `release`, so that what came early is not lost.
 */
export class Frames {
  readonly #connection: MessageStream;
  readonly #limit: number;
  readonly #received = new FrameDecoder(() => new MembershipError('the other side sent too much'));
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(connection: MessageStream, limit: number) {
    this.#connection = connection;
    this.#limit = limit;
    connection.addEventListener('message', this.#onMessage);
    connection.addEventListener('close', this.#onClose);
  }

  send(message: unknown): void {
    this.#connection.send(encodeJson(message));
  }

  /** @throws {MembershipError} when the other side sends too much, too late, or goes away. */
  async receive<T>(signal: AbortSignal): Promise<T> {
    const onAbort = () => this.#wake?.();
    signal.addEventListener('abort', onAbort);
    try {
      for (;;) {
        const message = this.#take<T>();
        if (message !== undefined) return message;
        if (this.#closed) throw new MembershipError('the other side closed the connection');
        if (signal.aborted) throw new MembershipError('the other side did not say who it is in time');
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Waits until the other side has closed, so that it could read the last message. */
  async closed(signal: AbortSignal): Promise<void> {
    await this.receive(signal).catch(() => {});
  }

  release(): void {
    this.#connection.removeEventListener('message', this.#onMessage);
    this.#connection.removeEventListener('close', this.#onClose);
    if (this.#received.size > 0) this.#connection.unshift(this.#received.rest());
  }

  #take<T>(): T | undefined {
    const text = this.#received.next(this.#limit);
    if (!text) return undefined;
    try {
      const message = JSON.parse(text.toString()) as T;
      if (typeof message === 'object' && message !== null) return message;
    } catch {
      // Said below.
    }
    throw new MembershipError('the other side does not speak the membership protocol');
  }

  readonly #onMessage = (event: { data: { subarray(): Uint8Array } }): void => {
    this.#received.push(event.data.subarray());
    if (this.#received.size > this.#limit + LENGTH_BYTES) this.#closed = true;
    this.#wake?.();
  };

  readonly #onClose = (): void => {
    this.#closed = true;
    this.#wake?.();
  };
}
