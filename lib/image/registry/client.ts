import type { IncomingMessage } from 'node:http';
import { answerError, readDocument } from './answer';
import { Authorizer } from './authorizer';
import type { Endpoint } from './configuration';
import type { FoundLogin } from './credentials';
import { discard, type Transport } from './transport';

export interface RegistryRequest {
  headers?: Record<string, string>;
  /** `HEAD` asks for the headers of the answer only. */
  method?: 'GET' | 'HEAD';
  signal?: AbortSignal | undefined;
}

/** One repository at one endpoint: paths below it, authorization, and errors that say what is wrong. */
export class RegistryClient {
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;
  readonly #base: URL;

  constructor(
    readonly endpoint: Endpoint,
    repository: string,
    transport: Transport,
    findLogin: (signal?: AbortSignal) => Promise<FoundLogin>,
  ) {
    this.#transport = transport;
    this.#base = new URL(`v2/${repository}/`, endpoint.url);
    const { registry, insecure } = endpoint;
    this.#authorizer = new Authorizer({ transport, registry, repository, insecure, findLogin });
  }

  /**
   * A successful answer (2xx), its body unread. A 401 is answered once: with a first token, or with a new one
   * when the old has expired.
   *
   * @param what names the thing in messages.
   * @throws {ImageUnknownError} {RegistryError} {AbortedError}
   */
  async get(what: string, path: string, request: RegistryRequest = {}): Promise<IncomingMessage> {
    const first = await this.#send(path, request);
    if (first.response.statusCode !== 401) return this.#accept(what, first.response, request);
    discard(first.response);
    const challenge = first.response.headers['www-authenticate'] ?? '';
    await this.#authorizer.answer(challenge, first.authorization, request.signal);
    const second = await this.#send(path, request);
    if (second.response.statusCode !== 401) return this.#accept(what, second.response, request);
    discard(second.response);
    throw this.#authorizer.refused();
  }

  /** A body of at most `limit` bytes, with the answer's headers. */
  async getDocument(what: string, path: string, limit: number, request: RegistryRequest = {}) {
    const response = await this.get(what, path, request);
    const options = { limit, idleMs: this.#transport.idleMs, signal: request.signal };
    return { bytes: await readDocument(what, response, options), headers: response.headers };
  }

  async #send(path: string, { headers, method, signal }: RegistryRequest) {
    const authorization = await this.#authorizer.header(signal);
    const response = await this.#transport.send(new URL(path, this.#base), {
      headers: { ...headers, ...(authorization ? { authorization } : {}) },
      ...(method && { method }),
      insecure: this.endpoint.insecure,
      signal,
    });
    return { response, authorization };
  }

  async #accept(what: string, response: IncomingMessage, request: RegistryRequest): Promise<IncomingMessage> {
    const status = response.statusCode!;
    if (status >= 200 && status < 300) return response;
    throw await answerError(what, response, {
      idleMs: this.#transport.idleMs,
      signal: request.signal,
      redact: (text) => this.#authorizer.redact(text),
    });
  }
}
