import * as http from 'node:http';
import * as https from 'node:https';
import { AbortedError } from '../../base';
import { RegistryProtocolError, RegistryTimeoutError } from './errors';
import { isLoopback } from './hosts';
import { networkError } from './network-error';

export interface RegistryTimeouts {
  /** Milliseconds to connect, TLS included. Default 10,000. */
  connectMs?: number | undefined;
  /** Milliseconds without any byte of an answer. Default 30,000. */
  idleMs?: number | undefined;
}

export interface TransportRequest {
  headers?: Record<string, string>;
  /** Default `GET`, or `POST` with a body. */
  method?: 'GET' | 'HEAD';
  body?: string;
  /** Accept any certificate, and a redirect from https to http. */
  insecure?: boolean;
  signal?: AbortSignal | undefined;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** An ignored body up to this size is read to its end, which keeps the connection usable. */
const DRAIN_LIMIT = 64 << 10;

/** Plain HTTP(S) exchanges with time limits, redirects and kept connections. */
export class Transport {
  readonly connectMs: number;
  readonly idleMs: number;
  /** Made so far; each redirect is one more. */
  requests = 0;
  readonly #agents = new Map<string, http.Agent>();

  constructor({ connectMs = 10_000, idleMs = 30_000 }: RegistryTimeouts = {}) {
    this.connectMs = connectMs;
    this.idleMs = idleMs;
  }

  /**
   * The answer of any status, its body unread. Redirects of a GET are followed; to another scheme, host or
   * port the Authorization header does not go along.
   *
   * @throws {RegistryUnreachableError} {RegistryTimeoutError} {RegistryProtocolError} {AbortedError}
   */
  async send(url: URL, request: TransportRequest = {}): Promise<http.IncomingMessage> {
    let target = url;
    let headers = { 'accept-encoding': 'identity', 'user-agent': 'garua', ...request.headers };
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const response = await this.#exchange(target, { ...request, headers });
      const { location } = response.headers;
      if (request.body !== undefined || !REDIRECTS.has(response.statusCode!) || !location) return response;
      discard(response);
      const next = redirectTarget(target, location, request.insecure ?? false);
      if (next.origin !== target.origin) {
        const { authorization, ...rest } = headers as Record<string, string>;
        headers = rest as typeof headers;
      }
      target = next;
    }
    throw new RegistryProtocolError(`${describeUrl(url)} is redirected without end`);
  }

  /** Cuts all connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #exchange(url: URL, request: TransportRequest): Promise<http.IncomingMessage> {
    try {
      return await this.#exchangeOnce(url, request);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      return this.#exchangeOnce(url, request);
    }
  }

  #exchangeOnce(url: URL, request: TransportRequest): Promise<http.IncomingMessage> {
    const { signal, body, method = body === undefined ? 'GET' : 'POST' } = request;
    this.requests += 1;
    const where = describeUrl(url);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(new AbortedError(`the request to ${where}`, { cause: signal.reason }));
        return;
      }
      const outgoing = (url.protocol === 'https:' ? https : http).request(url, {
        method,
        headers: request.headers,
        agent: this.#agent(url, request.insecure ?? false),
      });
      const fail = (error: Error) => {
        settle();
        outgoing.on('error', () => {});
        outgoing.destroy();
        reject(error);
      };
      const onAbort = () => fail(new AbortedError(`the request to ${where}`, { cause: signal?.reason }));
      const connectTimer = setTimeout(() => {
        fail(new RegistryTimeoutError(`${where} could not be connected within ${this.connectMs} ms`));
      }, this.connectMs);
      let answerTimer: NodeJS.Timeout | undefined;
      const onConnected = () => {
        clearTimeout(connectTimer);
        if (settled) return;
        answerTimer = setTimeout(() => {
          fail(new RegistryTimeoutError(`${where} did not answer within ${this.idleMs} ms`));
        }, this.idleMs);
      };
      let settled = false;
      const settle = () => {
        settled = true;
        clearTimeout(connectTimer);
        clearTimeout(answerTimer);
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      // Sent, hence connected: by a new or a kept connection, with or without TLS, or through a proxy.
      outgoing.on('finish', onConnected);
      outgoing.on('response', (response) => {
        settle();
        resolve(response);
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        settle();
        // The server closed a kept connection just when it was used again: nothing is wrong.
        const stale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        reject(stale ? new StaleConnection() : networkError(where, error));
      });
      outgoing.end(body);
    });
  }

  #agent(url: URL, insecure: boolean): http.Agent {
    const loopback = isLoopback(url.hostname);
    const key = `${url.protocol} ${insecure} ${loopback}`;
    let agent = this.#agents.get(key);
    if (!agent) {
      // HTTPS_PROXY and NO_PROXY, on the Node versions whose agents know them; never for this machine.
      const proxy = loopback ? {} : { proxyEnv: process.env };
      const options = { keepAlive: true, ...proxy };
      agent =
        url.protocol === 'https:'
          ? new https.Agent({ ...options, rejectUnauthorized: !insecure })
          : new http.Agent(options);
      this.#agents.set(key, agent);
    }
    return agent;
  }
}

class StaleConnection extends Error {}

/** Gets rid of an answer whose body does not matter. */
export function discard(response: http.IncomingMessage): void {
  response.on('error', () => {});
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  if (length <= DRAIN_LIMIT) response.resume();
  else response.destroy();
}

/** A URL for messages: no user, no password, and no query, which may hold a signature. */
export function describeUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
}

/** Where a redirect leads. @throws {RegistryProtocolError} when it may not be followed. */
export function redirectTarget(from: URL, location: string, insecure: boolean): URL {
  let target: URL;
  try {
    target = new URL(location, from);
  } catch (error) {
    throw new RegistryProtocolError(`${describeUrl(from)} redirects to nowhere`, undefined, { cause: error });
  }
  const secure = target.protocol === 'https:';
  if (!secure && target.protocol !== 'http:') {
    throw new RegistryProtocolError(`${describeUrl(from)} redirects to ${target.protocol}`);
  }
  if (from.protocol === 'https:' && !secure && !insecure) {
    throw new RegistryProtocolError(
      `${describeUrl(from)} redirects from https to http (${target.host})`,
      'Have the registry fixed, or allow it as insecure if you trust the network.',
    );
  }
  // The header is ours to set; credentials inside a redirect are not.
  target.username = '';
  target.password = '';
  return target;
}
