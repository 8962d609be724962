import type { Connection } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { AbortedError, SingleFlight } from '../../base';
import { UnreachableError } from '../errors';
import type { CallOptions } from '../mesh';
import { RPC_PROTOCOL } from '../rpc/messages';
import { DEFAULT_TIMEOUT, RpcClient } from '../rpc/rpc-client';
import type { FogNode } from './create-node';
import type { Libraries } from './libraries';

/** Streams of one protocol that may be open to a host at once. */
export const MAXIMUM_STREAMS = 512;

export interface LinksOptions {
  node: FogNode;
  libraries: Libraries;
  isMember(peerId: string): boolean;
  addressesOf(peerId: string): string[];
}

/** The connections, streams and call channels to the other hosts; what is missing is made when it is used. */
export class Links {
  readonly #options: LinksOptions;
  readonly #clients = new Map<string, RpcClient>();
  readonly #opening = new SingleFlight<RpcClient>();
  #closed = false;

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** Calls to the host go over this; made at the first call and shared. @throws {UnreachableError} */
  client(peerId: string, options: CallOptions): Promise<RpcClient> {
    const client = this.#clients.get(peerId);
    if (client?.open) return Promise.resolve(client);
    // Not the first caller's signal: others may wait for the same stream.
    const { timeoutMs } = options;
    const opening = this.#opening.run(peerId, async () => {
      const connection = await this.connection(peerId, { timeoutMs });
      const opened = new RpcClient(await this.newStream(connection, RPC_PROTOCOL, { timeoutMs }), peerId);
      this.#clients.set(peerId, opened);
      return opened;
    });
    return abortable(opening, options.signal);
  }

  async connection(
    peerId: string,
    { signal, timeoutMs = DEFAULT_TIMEOUT }: CallOptions,
  ): Promise<Connection> {
    const [open] = this.open(peerId);
    if (open) return open;
    if (this.#closed || !this.#options.isMember(peerId)) throw new UnreachableError(peerId);
    try {
      const addresses = this.#options
        .addressesOf(peerId)
        .map((address) => this.#options.libraries.multiaddr(`${address}/p2p/${peerId}`));
      return await this.#options.node.dial(addresses, { signal: limit(timeoutMs, signal) });
    } catch (error) {
      if (signal?.aborted) throw new AbortedError('a call', { cause: signal.reason });
      throw new UnreachableError(peerId, { cause: error });
    }
  }

  async newStream(
    connection: Connection,
    protocol: string,
    { signal, timeoutMs = DEFAULT_TIMEOUT }: CallOptions,
  ) {
    try {
      return await connection.newStream(protocol, {
        signal: limit(timeoutMs, signal),
        maxOutboundStreams: MAXIMUM_STREAMS,
      });
    } catch (error) {
      if (signal?.aborted) throw new AbortedError('a call', { cause: signal.reason });
      throw new UnreachableError(connection.remotePeer.toString(), { cause: error });
    }
  }

  /** Open connections to the host, which may be none. */
  open(peerId: string): Connection[] {
    const id = this.#options.libraries.peerIdFromString(peerId);
    return this.#options.node.getConnections(id).filter(({ status }) => status === 'open');
  }

  /** Ends all connections to a host without asking it. */
  drop(peerId: string): void {
    this.#clients.get(peerId)?.close();
    this.#clients.delete(peerId);
    for (const connection of this.open(peerId)) connection.abort(new Error('dropped'));
  }

  /** Makes no new connections, and ends the calls. */
  close(): void {
    this.#closed = true;
    for (const client of this.#clients.values()) client.close();
  }
}

function limit(timeoutMs: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new AbortedError('a call', { cause: signal.reason }));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
