import type { Connection, Stream } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { toGaruaError } from '../../base';
import { NoSuchServiceError } from '../errors';
import type { CallHandler } from '../mesh';
import { BusyError } from './busy-error';
import { MAXIMUM_UNTAKEN, MessageChannel } from './message-channel';
import type { Request, Response } from './messages';

/** Calls of one host that may be under way here at once. */
const CONCURRENT = 256;

/** Answers the calls of other hosts. */
export class RpcServer {
  readonly #handlers = new Map<string, CallHandler>();

  serve(name: string, handler: CallHandler): () => void {
    if (this.#handlers.has(name)) throw new TypeError(`${name} is served already`);
    this.#handlers.set(name, handler);
    return () => this.#handlers.delete(name);
  }

  accept(stream: Stream, connection: Connection): void {
    const peerId = connection.remotePeer.toString();
    const running = new Map<number, AbortController>();
    const channel = new MessageChannel<Request, Response>(
      stream,
      (request) => {
        if ('cancel' in request) return running.get(request.cancel)?.abort();
        // A number that is taken would hide the call under way from the limit.
        if (!Number.isSafeInteger(request.id) || running.has(request.id)) return channel.close();
        const cancel = new AbortController();
        if (running.size >= CONCURRENT) return this.#answer(channel, request.id, new BusyError(), true);
        running.set(request.id, cancel);
        const timer = setTimeout(() => cancel.abort(), Math.min(Number(request.timeoutMs) || 0, 2 ** 31 - 1));
        this.#run(request, peerId, cancel.signal)
          .then(
            (result) => this.#answer(channel, request.id, result, false),
            (error) => this.#answer(channel, request.id, error, true),
          )
          .finally(() => {
            clearTimeout(timer);
            running.delete(request.id);
          });
      },
      () => {
        for (const cancel of running.values()) cancel.abort();
      },
    );
  }

  async #run(
    request: Extract<Request, { id: number }>,
    peerId: string,
    signal: AbortSignal,
  ): Promise<unknown> {
    const handler = this.#handlers.get(request.call);
    if (!handler) throw new NoSuchServiceError(request.call);
    return handler(request.argument as never, { peerId, signal });
  }

  #answer(channel: MessageChannel<Request, Response>, id: number, value: unknown, failed: boolean): void {
    if (!channel.open) return;
    const error = () => toGaruaError(value, 'the call').toJSON();
    try {
      // An error always goes out: there are no more of them than calls under way.
      if (failed) channel.send({ id, error: error() }, 'the answer', 2 * MAXIMUM_UNTAKEN);
      else channel.send({ id, result: value }, 'the answer');
      channel.holdUntilTaken();
    } catch (cause) {
      if (!failed && channel.open) this.#answer(channel, id, cause, true);
    }
  }
}
