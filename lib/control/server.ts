import { chmodSync, chownSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { InvalidArgumentError, type LongCall, type Progress, peerUser, toGaruaError } from '../base';
import type { Host } from '../host';
import { groupId } from './group';
import { CALLS, JsonLines, type Request, type Response, STREAMS } from './protocol';
import { withSocketPath } from './socket-path';

/** The group whose members may control a host; see README, "Who may do what". */
const GROUP = 'garua';
/** Calls that are under way at the end have so long before they are cancelled, in milliseconds. */
const CLOSE_PATIENCE = 20_000;
/** So long a caller may take to read its answer then. */
const READ_PATIENCE = 2_000;

/** A caller's connection, and its call once it has made one. */
interface Connection {
  method?: string;
  done?: Promise<void>;
  cancel: AbortController;
}

/** What the server adds to the options of each call. */
interface ServedCall extends LongCall {
  /** The number of the user who calls, with whose rights files are to be opened. */
  callerUser: number;
}

/** Serves a Host to the other processes of this machine, on a Unix socket that only root and the group reach. */
export class ControlServer {
  readonly #host: Host;
  readonly #path: string;
  readonly #server: Server;
  readonly #connections = new Map<Socket, Connection>();

  private constructor(host: Host, path: string) {
    this.#host = host;
    this.#path = path;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  static async listen(host: Host, path: string): Promise<ControlServer> {
    const control = new ControlServer(host, path);
    // The owner of the data directory is alone: a socket file that is there is a dead process's.
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      control.#server.once('error', reject).once('listening', resolve);
      withSocketPath(path, (short) => control.#server.listen(short));
    });
    await restrict(path);
    return control;
  }

  /**
   * Takes no new calls, ends the streams, and waits for the calls under way, which are cancelled when they take long.
   * Neither a caller that says nothing nor one that does not read its answer holds this up.
   *
   * @param patience milliseconds until calls under way are cancelled
   */
  async close(patience = CLOSE_PATIENCE): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // net.Server unlinks the path it was given, which for a long path no longer leads there.
    rmSync(this.#path, { force: true });
    for (const [socket, { method, done }] of this.#connections) {
      if (!done || (method !== undefined && (method in STREAMS || method === 'wait'))) socket.destroy();
    }
    const cancelling = setTimeout(() => {
      for (const { cancel } of this.#connections.values()) cancel.abort();
    }, patience);
    await Promise.all([...this.#connections.values()].map(({ done }) => done));
    clearTimeout(cancelling);
    const cutting = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.destroy();
    }, READ_PATIENCE);
    await closed;
    clearTimeout(cutting);
  }

  #accept(socket: Socket): void {
    const lines = new JsonLines<Request>();
    const connection: Connection = { cancel: new AbortController() };
    const { cancel } = connection;
    this.#connections.set(socket, connection);
    socket.setEncoding('utf8');
    socket.on('error', () => cancel.abort());
    // A caller that ends its side cancels, and still reads what a stream has ready.
    socket.on('end', () => {
      cancel.abort();
      if (!connection.done) socket.end();
    });
    socket.on('close', () => {
      cancel.abort();
      // What the caller has left may still have something to undo.
      void Promise.resolve(connection.done).finally(() => this.#connections.delete(socket));
    });
    socket.on('data', (text: string) => {
      try {
        const [request] = lines.push(text);
        if (!request || connection.done) return;
        if (typeof request.method !== 'string') throw new SyntaxError('not a request');
        connection.method = request.method;
        connection.done = this.#answer(socket, request, cancel.signal);
      } catch {
        socket.destroy();
      }
    });
  }

  async #answer(socket: Socket, request: Request, signal: AbortSignal): Promise<void> {
    const send = (response: Response) => {
      // What comes in one go, such as the lines of a busy log, is sent in one go.
      if (socket.writableCorked === 0) {
        socket.cork();
        process.nextTick(() => socket.uncork());
      }
      return socket.writable && socket.write(`${JSON.stringify(response)}\n`);
    };
    try {
      const { method } = request;
      const callerUser = userOf(socket);
      if (Object.hasOwn(STREAMS, method)) {
        const items = this.#invoke(request, STREAMS[method as keyof typeof STREAMS], { signal, callerUser });
        for await (const item of items as AsyncIterable<unknown>) {
          if (!send({ item })) await drained(socket);
          if (socket.destroyed) return;
        }
        send({ result: null });
      } else if (Object.hasOwn(CALLS, method)) {
        // A reader that does not keep up misses progress, never the result.
        const onProgress = (progress: Progress) => !socket.writableNeedDrain && send({ progress });
        const longCall = { signal, onProgress, callerUser };
        const result = await this.#invoke(request, CALLS[method as keyof typeof CALLS], longCall);
        send({ result: result ?? null });
      } else {
        throw new InvalidArgumentError(
          `the host has no call named ${method}`,
          'Use the same version of garua on both sides.',
        );
      }
    } catch (error) {
      send({ error: toGaruaError(error, request.method).toJSON() });
    } finally {
      socket.end();
    }
  }

  #invoke(request: Request, optionsIndex: number, longCall: ServedCall): unknown {
    const given = Array.isArray(request.arguments) ? request.arguments : [];
    const options = { ...(given[optionsIndex] as object | undefined), ...longCall };
    const method = this.#host[request.method] as (...parameters: unknown[]) => unknown;
    return method.call(this.#host, ...given.slice(0, optionsIndex), options);
  }
}

/** node:net shows the descriptor of a socket only here. */
function userOf(socket: Socket): number {
  return peerUser((socket as unknown as { _handle: { fd: number } })._handle.fd);
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || !socket.writableNeedDrain) return resolve();
    const settle = () => {
      socket.off('drain', settle).off('close', settle);
      resolve();
    };
    socket.once('drain', settle).once('close', settle);
  });
}

/** 0660, and the group `garua` where there is one: whoever may connect may deploy, which is as good as root. */
async function restrict(path: string): Promise<void> {
  chmodSync(path, 0o660);
  if (process.getuid?.() !== 0) return;
  const group = await groupId(GROUP);
  if (group !== undefined) chownSync(path, 0, group);
}
