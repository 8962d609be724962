import type { Socket } from 'node:net';
import type { ByteStream } from '../../mesh';
import { Door, forward as passOn, SocketPipe } from '../services';
import type { Forward } from './forward';

/** The open end of a forward: takes connections at the port and passes them on. */
export class Passage {
  forward: Forward;
  readonly #door: Door;
  readonly #dial: (forward: Forward, signal: AbortSignal) => Promise<ByteStream>;
  #open = 0;
  /** Of performance.now(): when somebody was there last. */
  #lastSeen = performance.now();
  /** Until then the port is left to others. */
  #asideUntil = 0;

  constructor(forward: Forward, dial: (forward: Forward, signal: AbortSignal) => Promise<ByteStream>) {
    this.forward = forward;
    this.#dial = dial;
    this.#door = new Door(forward.hostPort, (socket) => void this.#take(socket), forward.hostAddress);
  }

  /** From now on it leads there. */
  lead(forward: Forward): void {
    this.forward = forward;
    this.#lastSeen = performance.now();
    this.#asideUntil = 0;
  }

  get isOpen(): boolean {
    return this.#door.isOpen;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#open;
  }

  /** For how long nobody was there, in milliseconds. */
  get idleMs(): number {
    return this.#open > 0 ? 0 : performance.now() - this.#lastSeen;
  }

  /** Takes the port, unless it is left to others or in other hands; to be tried again. */
  async enter(): Promise<void> {
    if (performance.now() >= this.#asideUntil) await this.#door.open().catch(() => {});
  }

  /** Leaves the port for a while to somebody who is about to take it. */
  stepAside(forMs: number): void {
    this.#asideUntil = performance.now() + forMs;
    this.#door.close();
  }

  /** Takes no new connections; with `all` those that are open end too. */
  close({ all = false } = {}): void {
    this.#door.close({ all });
  }

  async #take(socket: Socket): Promise<void> {
    this.forward.connections += 1;
    this.#open += 1;
    socket.once('close', () => {
      this.#open -= 1;
      this.#lastSeen = performance.now();
    });
    const { peerId } = this.forward;
    await passOn(new SocketPipe(socket), () => [
      { key: peerId, open: (signal) => this.#dial(this.forward, signal) },
    ]);
  }
}
