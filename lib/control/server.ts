import { chmodSync, chownSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { InvalidArgumentError, type LongCall, type Progress, toGaruaError } from '../base';
import type { Host } from '../host';
import { groupId } from './group';
import { CALLS, JsonLines, type Request, type Response, STREAMS } from './protocol';
import { withSocketPath } from './socket-path';

/** The group whose members may control a host; see README, "Who may do what". */
const GROUP = 'garua';

/** Serves a Host to the other processes of this machine, on a Unix socket that only root and the group reach. */
export class ControlServer {
  readonly #host: Host;
  readonly #path: string;
  readonly #server: Server;
  /** Calls under way; streams are cut at close, the rest is waited for. */
  readonly #running = new Map<Socket, { method: string; done: Promise<void> }>();

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

  /** Takes no new calls, ends the streams, and waits for the calls under way. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // net.Server unlinks the path it was given, which for a long path no longer leads there.
    rmSync(this.#path, { force: true });
    for (const [socket, { method }] of this.#running) {
      if (method in STREAMS || method === 'wait') socket.destroy();
    }
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    for (const socket of this.#running.keys()) socket.end();
    await closed;
  }

  #accept(socket: Socket): void {
    const lines = new JsonLines<Request>();
    const cancel = new AbortController();
    socket.setEncoding('utf8');
    socket.on('error', () => cancel.abort());
    // A caller that ends its side cancels, and still reads what a stream has ready.
    socket.on('end', () => cancel.abort());
    socket.on('close', () => cancel.abort());
    socket.on('data', (text: string) => {
      try {
        const [request] = lines.push(text);
        if (!request || this.#running.has(socket)) return;
        if (typeof request.method !== 'string') throw new SyntaxError('not a request');
        const done = this.#answer(socket, request, cancel.signal).finally(() => this.#running.delete(socket));
        this.#running.set(socket, { method: request.method, done });
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
      if (Object.hasOwn(STREAMS, method)) {
        const items = this.#invoke(request, STREAMS[method as keyof typeof STREAMS], { signal });
        for await (const item of items as AsyncIterable<unknown>) {
          if (!send({ item })) await drained(socket);
          if (socket.destroyed) return;
        }
        send({ result: null });
      } else if (Object.hasOwn(CALLS, method)) {
        // A reader that does not keep up misses progress, never the result.
        const onProgress = (progress: Progress) => !socket.writableNeedDrain && send({ progress });
        const longCall = { signal, onProgress };
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

  #invoke(request: Request, optionsIndex: number, longCall: LongCall): unknown {
    const given = Array.isArray(request.arguments) ? request.arguments : [];
    const options = { ...(given[optionsIndex] as object | undefined), ...longCall };
    const method = this.#host[request.method] as (...parameters: unknown[]) => unknown;
    return method.call(this.#host, ...given.slice(0, optionsIndex), options);
  }
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
