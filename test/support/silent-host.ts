import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** A control socket behind which nobody answers, as of a daemon that hangs. */
export class SilentHost {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket.on('error', () => {}));
    });
  }

  static async listen(path: string): Promise<SilentHost> {
    const silent = new SilentHost();
    silent.#server.listen(path);
    await once(silent.#server, 'listening');
    return silent;
  }

  /** Who waits for an answer hears that there will be none. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
