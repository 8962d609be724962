import { createServer, type Server, type Socket } from 'node:net';

/** Between two attempts to get a port back that is in other hands, in milliseconds. */
const RETRY = 3_000;

/** A TCP port of this host that leads elsewhere. */
export class Door {
  readonly port: number;
  readonly address: string;
  readonly #onConnection: (socket: Socket) => void;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(port: number, onConnection: (socket: Socket) => void, address = '127.0.0.1') {
    this.port = port;
    this.address = address;
    this.#onConnection = onConnection;
  }

  get isOpen(): boolean {
    return this.#server !== undefined;
  }

  /** @throws the system's error, EADDRINUSE when another program has the port */
  async open(): Promise<void> {
    if (this.#server) return;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      this.#onConnection(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, this.address, resolve);
    });
    server.on('error', () => {});
    this.#server = server;
  }

  /** Opens now, or as soon as the port is free. */
  async openInTime(): Promise<void> {
    await this.open().catch(() => {
      this.#retry = setTimeout(() => void this.openInTime(), RETRY).unref();
    });
  }

  /** Takes no new connections; with `all` those that are open end too. */
  close({ all = false } = {}): void {
    clearTimeout(this.#retry);
    this.#server?.close();
    this.#server = undefined;
    if (all) for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}
