import type { Connection, Stream } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { AbortedError, type ErrorDocument, fromErrorDocument, toGaruaError } from '../../base';
import { CallTimeoutError, NoSuchServiceError } from '../errors';
import type { ByteStream, CallOptions, StreamHandler } from '../mesh';
import { DEFAULT_TIMEOUT } from '../rpc/rpc-client';
import { type OnRate, StreamPipe } from './stream-pipe';

export const STREAM_PROTOCOL = '/garua/stream/1';
const MAXIMUM_HEADER = 256 << 10;
const OPENING_PATIENCE = 10_000;

interface Opening {
  name: string;
  header?: unknown;
}

type Answer = { ok: true } | { error: ErrorDocument };

/** Byte streams by name between hosts. */
export class StreamService {
  readonly #handlers = new Map<string, StreamHandler>();
  readonly #onRate: OnRate;

  constructor(onRate: OnRate) {
    this.#onRate = onRate;
  }

  serve(name: string, handler: StreamHandler): () => void {
    if (this.#handlers.has(name)) throw new TypeError(`${name} is served already`);
    this.#handlers.set(name, handler);
    return () => this.#handlers.delete(name);
  }

  async open(
    stream: Stream,
    peerId: string,
    name: string,
    header: unknown,
    { signal, timeoutMs = DEFAULT_TIMEOUT }: CallOptions,
  ): Promise<ByteStream> {
    const pipe = new StreamPipe(stream, peerId, this.#onRate);
    const timeout = AbortSignal.timeout(timeoutMs);
    const limit = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      await pipe.sendMessage({ name, header } satisfies Opening, MAXIMUM_HEADER);
      const answer = await pipe.readMessage<Answer>(MAXIMUM_HEADER, limit);
      if ('error' in answer) throw fromErrorDocument(answer.error);
    } catch (error) {
      pipe.abort();
      if (signal?.aborted) throw new AbortedError(name, { cause: signal.reason });
      if (timeout.aborted) throw new CallTimeoutError(name, peerId, timeoutMs);
      throw error;
    }
    if (signal) {
      const onAbort = () => pipe.abort(new AbortedError(name, { cause: signal.reason }));
      signal.addEventListener('abort', onAbort, { once: true });
      pipe.onClose(() => signal.removeEventListener('abort', onAbort));
    }
    return pipe;
  }

  /** Takes an incoming stream; the handler's error before it used the stream reaches the caller with its code. */
  async accept(stream: Stream, connection: Connection): Promise<void> {
    const peerId = connection.remotePeer.toString();
    const pipe = new StreamPipe(stream, peerId, this.#onRate);
    const gone = new AbortController();
    pipe.onClose(() => gone.abort());
    try {
      const { name, header } = await pipe.readMessage<Opening>(
        MAXIMUM_HEADER,
        AbortSignal.timeout(OPENING_PATIENCE),
      );
      const handler = this.#handlers.get(name);
      if (!handler) throw new NoSuchServiceError(name);
      let answered = false;
      pipe.onUse = () => {
        answered = true;
        // The first thing on its way: what is written next stands behind it.
        pipe.sendMessage({ ok: true } satisfies Answer, MAXIMUM_HEADER).catch(() => {});
      };
      await handler(header as never, pipe, { peerId, signal: gone.signal }).catch(async (error) => {
        if (answered) return pipe.abort(error);
        throw error;
      });
      await pipe.end().catch(() => {});
    } catch (error) {
      await this.#refuse(pipe, error);
    }
  }

  async #refuse(pipe: StreamPipe, error: unknown): Promise<void> {
    pipe.onUse = undefined;
    const document = toGaruaError(error, 'a stream').toJSON();
    await pipe.sendMessage({ error: document } satisfies Answer, MAXIMUM_HEADER).catch(() => {});
    await pipe.end().catch(() => {});
    // The caller breaks its side off once it has read why; one that does not is not waited for.
    setTimeout(() => pipe.abort(), 5_000).unref();
  }
}
