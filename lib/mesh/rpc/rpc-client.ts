import type { Stream } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { AbortedError, fromErrorDocument } from '../../base';
import { CallTimeoutError, UnreachableError } from '../errors';
import type { CallOptions } from '../mesh';
import { MessageChannel } from './message-channel';
import type { Request, Response } from './messages';

/** How long a call may take unless its caller says otherwise, in ms. */
export const DEFAULT_TIMEOUT = 10_000;

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Calls to one other host, all on one stream: an answer takes one round trip. */
export class RpcClient {
  readonly #pending = new Map<number, Pending>();
  readonly #channel: MessageChannel<Response, Request>;
  readonly #peerId: string;
  #lastId = 0;

  constructor(stream: Stream, peerId: string) {
    this.#peerId = peerId;
    this.#channel = new MessageChannel<Response, Request>(
      stream,
      (response) => this.#settle(response),
      () => this.#lose(),
    );
  }

  get open(): boolean {
    return this.#channel.open;
  }

  close(): void {
    this.#channel.close();
  }

  call(
    name: string,
    argument: unknown,
    { signal, timeoutMs = DEFAULT_TIMEOUT }: CallOptions,
  ): Promise<unknown> {
    if (signal?.aborted) throw new AbortedError(name, { cause: signal.reason });
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        return this.#pending.delete(id);
      };
      const giveUp = (error: Error) => {
        if (!settle()) return;
        reject(error);
        try {
          if (this.open) this.#channel.send({ cancel: id }, name);
        } catch {
          // A peer that takes nothing any more need not be told.
        }
      };
      const onAbort = () => giveUp(new AbortedError(name, { cause: signal!.reason }));
      const timer = setTimeout(() => giveUp(new CallTimeoutError(name, this.#peerId, timeoutMs)), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, {
        resolve: (result) => settle() && resolve(result),
        reject: (error) => settle() && reject(error),
      });
      try {
        this.#channel.send({ id, call: name, argument, timeoutMs }, `the argument of ${name}`);
      } catch (error) {
        this.#pending.get(id)?.reject(error as Error);
      }
    });
  }

  #settle(response: Response): void {
    const pending = this.#pending.get(response.id);
    if ('error' in response) pending?.reject(fromErrorDocument(response.error));
    else pending?.resolve(response.result);
  }

  #lose(): void {
    for (const { reject } of [...this.#pending.values()])
      reject(new UnreachableError(this.#peerId, { mayHaveHeard: true }));
  }
}
