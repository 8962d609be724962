import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pipe } from './pipe';

/** A TCP socket that was made with `allowHalfOpen`, as a Pipe. */
export class SocketPipe implements Pipe {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    // Whoever reads or writes hears of it.
    socket.on('error', () => {});
  }

  /** @throws when nobody accepts within the time, in milliseconds */
  static async connect(host: string, port: number, patience: number): Promise<SocketPipe> {
    const socket = connect({ host, port, allowHalfOpen: true });
    const pipe = new SocketPipe(socket);
    const answered = new AbortController();
    try {
      await Promise.race([
        new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject)),
        delay(patience, undefined, { signal: answered.signal }).then(() => {
          throw new Error(`no answer within ${patience} ms`);
        }),
      ]);
      return pipe;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      answered.abort();
    }
  }

  get isGone(): boolean {
    return this.#socket.destroyed;
  }

  onGone(listener: () => void): void {
    this.#socket.once('close', listener);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable) throw new Error('the connection is closed');
    if (socket.write(chunk)) return;
    await new Promise<void>((resolve, reject) => {
      const settle = () => {
        socket.off('drain', settle).off('close', settle);
        if (socket.destroyed) reject(new Error('the connection was broken off'));
        else resolve();
      };
      socket.on('drain', settle).on('close', settle);
    });
  }

  end(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  /** Without destroying the socket at its end: the other direction may go on. */
  read(): AsyncIterable<Uint8Array> {
    return this.#socket.iterator({ destroyOnReturn: false });
  }

  /** The other end sees a reset, not an end. */
  abort(): void {
    this.#socket.resetAndDestroy();
  }
}
