import type { MessageStream } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { MembershipError } from '../errors';

/**
 * JSON messages on a bare connection, before there are streams: four bytes of length, then the text. Give
 * the connection back with `release`, so that what came early is not lost.
 */
export class Frames {
  readonly #connection: MessageStream;
  readonly #limit: number;
  #received: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(connection: MessageStream, limit: number) {
    this.#connection = connection;
    this.#limit = limit;
    connection.addEventListener('message', this.#onMessage);
    connection.addEventListener('close', this.#onClose);
  }

  send(message: unknown): void {
    const text = Buffer.from(JSON.stringify(message));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    this.#connection.send(Buffer.concat([length, text]));
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
    if (this.#received.length > 0) this.#connection.unshift(this.#received);
  }

  #take<T>(): T | undefined {
    if (this.#received.length < 4) return undefined;
    const length = this.#received.readUInt32BE(0);
    if (length > this.#limit) throw new MembershipError('the other side sent too much');
    if (this.#received.length < 4 + length) return undefined;
    const text = this.#received.toString('utf8', 4, 4 + length);
    this.#received = this.#received.subarray(4 + length);
    try {
      const message = JSON.parse(text) as T;
      if (typeof message === 'object' && message !== null) return message;
    } catch {
      // Said below.
    }
    throw new MembershipError('the other side does not speak the membership protocol');
  }

  readonly #onMessage = (event: { data: { subarray(): Uint8Array } }): void => {
    this.#received = Buffer.concat([this.#received, event.data.subarray()]);
    if (this.#received.length > this.#limit + 4) this.#closed = true;
    this.#wake?.();
  };

  readonly #onClose = (): void => {
    this.#closed = true;
    this.#wake?.();
  };
}
