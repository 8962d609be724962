import { AbortedError, InvalidArgumentError } from '../../../base';
import type { FlowNode } from '../subflow';
import {
  NodeRedRefusedError,
  NodeRedTimeoutError,
  NodeRedTypesMissingError,
  NodeRedUnauthorizedError,
  NodeRedUnreachableError,
} from './errors';
import { describeTab, markOf, type TabMark } from './mark';

export interface AdminApiOptions {
  /** Where the editor is, such as `http://127.0.0.1:1880/`; with the path of `httpAdminRoot`. */
  url: string;
  /** An access token, where Node-RED asks for one. */
  token?: string | undefined;
  /** For each request. Default 30,000: removing a tab of 500 nodes takes a small machine 8 s. */
  timeoutMs?: number | undefined;
}

/** A tab to be. */
export interface OperatorTab {
  label: string;
  mark: TabMark;
  nodes: readonly FlowNode[];
  configs: readonly FlowNode[];
}

/** A tab that holds an operator. */
export interface MarkedTab {
  id: string;
  label: string;
  mark: TabMark;
}

/** All flows of a Node-RED, and their revision. */
export interface FlowsDocument {
  flows: FlowNode[];
  rev: string;
}

interface Call {
  signal?: AbortSignal | undefined;
}

interface Request extends Call {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Types that the runtime has without any node set: `junction` is listed by newer versions only. */
const BUILT_IN = ['group', 'junction', 'tab'];

/**
 * The Admin API of one Node-RED. Each call
 * @throws {NodeRedUnreachableError} {NodeRedTimeoutError} {NodeRedUnauthorizedError} {NodeRedRefusedError}
 * @throws {AbortedError} by `signal`.
 */
export class AdminApi {
  readonly #url: URL;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;

  /** @throws {InvalidArgumentError} for an address that is none. */
  constructor({ url, token, timeoutMs = 30_000 }: AdminApiOptions) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new InvalidArgumentError(`"${url}" is not the address of a Node-RED`);
    }
    this.#url = new URL(url.endsWith('/') ? url : `${url}/`);
    this.#token = token;
    this.#timeoutMs = timeoutMs;
  }

  /** The node types that are installed, enabled, and were loaded without an error. */
  async types(call: Call = {}): Promise<Set<string>> {
    const sets = await this.#json<{ types: string[]; enabled: boolean; err?: unknown }[]>('nodes', call);
    return new Set([
      ...BUILT_IN,
      ...sets.filter(({ enabled, err }) => enabled && !err).flatMap(({ types }) => types),
    ]);
  }

  async flows(call: Call = {}): Promise<FlowsDocument> {
    return this.#json('flows', { ...call, headers: { 'node-red-api-version': 'v2' } });
  }

  /** The tabs that hold operators, also those that a crash left. */
  async operatorTabs(call: Call = {}): Promise<MarkedTab[]> {
    const { flows } = await this.flows(call);
    return flows.flatMap(({ type, id, label, info }) => {
      const mark = type === 'tab' ? markOf(info) : undefined;
      return mark ? [{ id, label: String(label ?? ''), mark }] : [];
    });
  }

  /**
   * Adds a tab, which starts at once.
   * @returns its id.
   * @throws {NodeRedTypesMissingError} before anything is sent.
   */
  async addTab(tab: OperatorTab, call: Call = {}): Promise<string> {
    await this.checkTypes([...tab.nodes, ...tab.configs], call);
    const { id } = await this.#json<{ id: string }>('flow', { ...call, method: 'POST', body: document(tab) });
    return id;
  }

  /**
   * Replaces what is in a tab. Messages in flight inside it are lost: drain it first.
   * @throws {NodeRedTypesMissingError} before anything is sent.
   */
  async replaceTab(id: string, tab: OperatorTab, call: Call = {}): Promise<void> {
    await this.checkTypes([...tab.nodes, ...tab.configs], call);
    const body = { id, ...document(tab) };
    await this.#send(`flow/${encodeURIComponent(id)}`, { ...call, method: 'PUT', body });
  }

  /** Removes a tab with all that is in it. One that is no more is no error. */
  async removeTab(id: string, call: Call = {}): Promise<void> {
    await this.#send(`flow/${encodeURIComponent(id)}`, { ...call, method: 'DELETE' }, [404]);
  }

  /** @throws {NodeRedTypesMissingError} */
  async checkTypes(nodes: readonly Pick<FlowNode, 'type'>[], call: Call = {}): Promise<void> {
    const known = await this.types(call);
    const missing = new Set(nodes.map(({ type }) => type).filter((type) => !known.has(type)));
    if (missing.size > 0) throw new NodeRedTypesMissingError(this.#url.host, [...missing].sort());
  }

  async #json<T>(path: string, request: Request): Promise<T> {
    const text = await this.#send(path, request);
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new NodeRedUnreachableError(`${this.#url.host} does not answer as a Node-RED does`, { cause });
    }
  }

  async #send(path: string, request: Request, accepted: readonly number[] = []): Promise<string> {
    const { method = 'GET', body, headers, signal } = request;
    const what = `${method} /${path} at ${this.#url.host}`;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL(path, this.#url), {
        method,
        headers: {
          accept: 'application/json',
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The token must not go elsewhere.
        redirect: 'error',
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      text = await response.text();
    } catch (cause) {
      if (signal?.aborted) throw new AbortedError(what, { cause });
      if (timeout.aborted)
        throw new NodeRedTimeoutError(`${what} took over ${this.#timeoutMs} ms`, { cause });
      throw new NodeRedUnreachableError(`${what} failed: ${reasonOf(cause)}`, { cause });
    }
    if (response.ok || accepted.includes(response.status)) return text;
    throw failure(what, response.status, text);
  }
}

function document({ label, mark, nodes, configs }: OperatorTab) {
  return { label, info: describeTab(mark), nodes, configs };
}

/** `fetch` hides what happened in the cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

function failure(what: string, status: number, text: string): Error {
  if (status === 401 || status === 403) {
    return new NodeRedUnauthorizedError(`${what} is not permitted (${status})`);
  }
  const reason = messageIn(text);
  const message = `${what} was refused with status ${status}${reason ? `: ${reason}` : ''}`;
  return status >= 500 && !reason ? new NodeRedUnreachableError(message) : new NodeRedRefusedError(message);
}

/** Node-RED's errors are `{code, message}`. */
function messageIn(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text);
    return typeof message === 'string' ? message.slice(0, 500) : undefined;
  } catch {
    return undefined;
  }
}
