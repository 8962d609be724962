import { connect, type Socket } from 'node:net';
import { AbortedError, fromErrorDocument, GaruaError, type LongCall, PermissionError } from '../base';
import type { Host } from '../host';
import { JsonLines, type Request, type Response } from './protocol';
import { withSocketPath } from './socket-path';

/** Nobody answers on the control socket; nothing was sent. */
export class ControlUnreachableError extends GaruaError {
  constructor(path: string, options?: ErrorOptions) {
    super(
      'ERR_CONTROL_UNREACHABLE',
      `no host answers on the control socket ${path}`,
      'Start the host, or leave out --socket to use the data directory itself.',
      options,
    );
  }
}

/** The owner ended, or the connection broke, while a call was under way. */
export class ControlDisconnectedError extends GaruaError {
  constructor(method: string) {
    super(
      'ERR_CONTROL_DISCONNECTED',
      `the host went away during ${method}`,
      'Look at the state (garua ps), then try again.',
    );
  }
}

/** Makes calls on a Host in another process. The methods of `Host` itself are added by `HostHandle`. */
export class RemoteCaller {
  constructor(readonly path: string) {}

  /** @throws {ControlUnreachableError} {ControlDisconnectedError} and what the call itself throws. */
  async call(method: keyof Host, parameters: unknown[], longCall: LongCall = {}): Promise<unknown> {
    for await (const response of this.#responses(method, parameters, longCall.signal, 'drop')) {
      if ('progress' in response) longCall.onProgress?.(response.progress);
      if ('result' in response) return response.result ?? undefined;
      if ('error' in response) throw fromErrorDocument(response.error);
    }
    throw new ControlDisconnectedError(method);
  }

  /**
   * As `call`, for the methods that answer with items. When the signal fires it ends after the items that
   * are ready by then, without an error.
   */
  async *stream(method: keyof Host, parameters: unknown[], longCall: LongCall = {}): AsyncIterable<unknown> {
    try {
      for await (const response of this.#responses(method, parameters, longCall.signal, 'finish')) {
        if ('item' in response) yield response.item;
        if ('result' in response) return;
        if ('error' in response) throw fromErrorDocument(response.error);
      }
    } catch (error) {
      if (longCall.signal?.aborted) return;
      throw error;
    }
    if (!longCall.signal?.aborted) throw new ControlDisconnectedError(method);
  }

  async *#responses(
    method: keyof Host,
    parameters: unknown[],
    signal: AbortSignal | undefined,
    atAbort: 'drop' | 'finish',
  ): AsyncIterable<Response> {
    if (signal?.aborted && atAbort === 'drop') throw new AbortedError(method, { cause: signal.reason });
    const socket = await this.#connect();
    const onAbort = () => (atAbort === 'drop' ? socket.destroy() : socket.end());
    try {
      const request: Request = { method, arguments: parameters };
      socket.write(`${JSON.stringify(request)}\n`);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) onAbort();
      const lines = new JsonLines<Response>();
      for await (const text of socket) yield* lines.push(text as string);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A reset or a premature close is the same as an early end.
      if (
        !signal?.aborted &&
        code !== 'ECONNRESET' &&
        code !== 'EPIPE' &&
        code !== 'ERR_STREAM_PREMATURE_CLOSE'
      ) {
        throw error;
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
    }
    if (signal?.aborted) throw new AbortedError(method, { cause: signal.reason });
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const fail = (cause: NodeJS.ErrnoException) =>
        reject(
          cause.code === 'EACCES'
            ? new PermissionError(
                `this user may not use the control socket ${this.path}`,
                'Add the user to the group garua (usermod -aG garua USER) and log in again.',
                { cause },
              )
            : new ControlUnreachableError(this.path, { cause }),
        );
      try {
        const socket = withSocketPath(this.path, (short) => connect(short));
        socket.setEncoding('utf8');
        socket.once('error', fail).once('connect', () => {
          socket.off('error', fail);
          resolve(socket);
        });
      } catch (error) {
        fail(error as NodeJS.ErrnoException);
      }
    });
  }
}
