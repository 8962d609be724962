/**
 * A registry in this process that serves the images given to it, counts what it is asked for, and
 * misbehaves on order. It listens on two ports of 127.0.0.1: the registry, and the "content server" to which
 * blobs can be redirected (it wants no authorization, and records whether it was sent any).
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Digest } from '../../lib/image/image';
import type { TestArtifact } from './images';
import { sendBytes } from './paced-answer';

/** What to do in place of a right answer. Offsets count bytes of the answer's body. */
export type Misbehaviour =
  /** Never send a byte of the answer. */
  | { type: 'hang-before-headers' }
  /** Stop after n bytes of the body, and keep the connection open. */
  | { type: 'hang'; after: number }
  /** Cut the connection after n bytes of the body. */
  | { type: 'reset'; after: number }
  /** Flip the byte at this offset. */
  | { type: 'corrupt'; at: number }
  /** A complete, valid answer of only n bytes. */
  | { type: 'short'; bytes: number }
  /** The right bytes, then zeros without end. */
  | { type: 'endless' }
  /** 206, with a Content-Range (and bytes) that are `shift` bytes off what was asked for. */
  | { type: 'wrong-range'; shift: number }
  /** 200 and the whole blob, whatever range was asked for. */
  | { type: 'ignore-range' }
  /** The right bytes under this Content-Length; then the connection is closed. */
  | { type: 'lying-length'; contentLength: number }
  /** The body compressed, with Content-Encoding: gzip, though nobody asked for it. */
  | { type: 'gzip' }
  /** 401 with the usual challenge, whatever was sent. */
  | { type: 'unauthorized' }
  | { type: 'status'; status: number; headers?: Record<string, string>; body?: string }
  /** To `location`, or to the content server. */
  | { type: 'redirect'; status?: number; location?: string }
  /** The right answer, slowly. */
  | { type: 'slow'; bytesPerSecond: number }
  | { type: 'delay'; milliseconds: number }
  /** The right answer with other headers. */
  | { type: 'headers'; headers: Record<string, string> };

export interface Fault {
  /** Which requests it hits; every property given must match. */
  match?: { kind?: RequestKind; method?: string; path?: string | RegExp; digest?: Digest };
  action: Misbehaviour;
  /** How many matching requests are hit. Default 1; `Infinity` for always. */
  times?: number;
  /** How many matching requests are answered well before. Default 0. */
  skip?: number;
}

export type RequestKind = 'ping' | 'manifest' | 'blob' | 'token' | 'content';

export interface RecordedRequest {
  kind: RequestKind;
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingMessage['headers'];
  /** The Range header, when there was one. */
  range?: string;
  /** Body of a POST (a token request). */
  body?: string;
  status: number;
  /** Bytes of the answer's body handed to the connection. */
  bytesSent: number;
}

export interface FaultyRegistryOptions {
  /** `token`: bearer tokens from its own token service, `basic`: accounts only. Default `none`. */
  auth?: 'none' | 'basic' | 'token';
  /** What is accepted; without accounts, `token` gives tokens to everybody. */
  accounts?: Record<string, string>;
  /** Lifetime of tokens as announced, in seconds. Default 300. */
  tokenSeconds?: number;
  /** Answers the token service's POST (OAuth2) for this refresh token. */
  refreshToken?: string;
}

export class FaultyRegistry {
  readonly requests: RecordedRequest[] = [];
  /** Tokens that are accepted; clear it to expire all of them. */
  readonly tokens = new Set<string>();
  readonly #manifests = new Map<string, { mediaType: string; bytes: Buffer; digest: Digest }>();
  readonly #blobs = new Map<Digest, Buffer>();
  readonly #faults: (Fault & { seen: number })[] = [];
  readonly #registry: Server;
  readonly #content: Server;

  private constructor(readonly options: FaultyRegistryOptions) {
    this.#registry = createServer((request, response) => void this.#answer(request, response, false));
    this.#content = createServer((request, response) => void this.#answer(request, response, true));
  }

  static async start(options: FaultyRegistryOptions = {}): Promise<FaultyRegistry> {
    const registry = new FaultyRegistry(options);
    for (const server of [registry.#registry, registry.#content]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return registry;
  }

  /** `127.0.0.1:PORT`, as it stands in a reference. */
  get host(): string {
    return `127.0.0.1:${(this.#registry.address() as AddressInfo).port}`;
  }

  get contentHost(): string {
    return `127.0.0.1:${(this.#content.address() as AddressInfo).port}`;
  }

  /** Serves an image or an index under `name:tag` and under its digest. */
  add(artifact: TestArtifact, name: string, tag = 'latest'): void {
    for (const [digest, manifest] of artifact.manifests) {
      this.#manifests.set(`${name}@${digest}`, { ...manifest, digest });
    }
    const { mediaType, bytes, digest } = artifact;
    this.#manifests.set(`${name}@${tag}`, { mediaType, bytes, digest });
    for (const [digest, bytes] of artifact.blobs) this.#blobs.set(digest, bytes);
  }

  fault(fault: Fault): void {
    this.#faults.push({ ...fault, seen: 0 });
  }

  clearFaults(): void {
    this.#faults.length = 0;
  }

  requestsOf(kind: RequestKind): RecordedRequest[] {
    return this.requests.filter((request) => request.kind === kind);
  }

  /** Bytes of blob bodies handed out so far (registry and content server). */
  get blobBytesSent(): number {
    return this.requests
      .filter(({ kind }) => kind === 'blob' || kind === 'content')
      .reduce((sum, { bytesSent }) => sum + bytesSent, 0);
  }

  /** Cuts every connection and closes. */
  async stop(): Promise<void> {
    for (const server of [this.#registry, this.#content]) {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, content: boolean): Promise<void> {
    const path = request.url ?? '/';
    const blob = /\/(sha256:[0-9a-f]{64})$/.exec(path)?.[1];
    const record: RecordedRequest = {
      kind: content ? 'content' : kindOf(path),
      method: request.method ?? 'GET',
      path,
      headers: request.headers,
      ...(request.headers.range ? { range: request.headers.range } : {}),
      status: 0,
      bytesSent: 0,
    };
    this.requests.push(record);
    if (record.method === 'POST') record.body = await bodyOf(request);
    const end: Ending = (status, headers, bytes, action) => {
      record.status = status;
      sendBytes(
        response,
        status,
        headers,
        record.method === 'HEAD' ? Buffer.alloc(0) : bytes,
        action,
        (sent) => {
          record.bytesSent += sent;
        },
      );
    };
    const action = this.#faultFor(record, blob);
    if (action?.type === 'hang-before-headers') return;
    if (action?.type === 'delay') await new Promise((resolve) => setTimeout(resolve, action.milliseconds));
    if (action?.type === 'status') {
      return end(action.status, action.headers ?? {}, Buffer.from(action.body ?? ''));
    }
    if (action?.type === 'redirect') {
      const location = action.location ?? `http://${this.contentHost}/${blob}`;
      return end(action.status ?? 307, { location }, Buffer.alloc(0));
    }
    if (record.kind === 'token') return this.#giveToken(record, end);
    if (!content && (action?.type === 'unauthorized' || !this.#authorized(record))) {
      return end(401, this.#challenge(path), errorBody('UNAUTHORIZED', 'authentication required'));
    }
    if (record.kind === 'ping') return end(200, {}, Buffer.from('{}'));
    if (record.kind === 'manifest') return this.#sendManifest(path, end, action);
    const bytes = this.#blobs.get(blob ?? '');
    if (!bytes) return end(404, {}, errorBody('BLOB_UNKNOWN', 'blob unknown to registry'));
    sendBlob(bytes, record.range, end, action);
  }

  #faultFor(record: RecordedRequest, blob: string | undefined): Misbehaviour | undefined {
    for (const fault of this.#faults) {
      const { kind, method, path, digest } = fault.match ?? {};
      if (kind && kind !== record.kind) continue;
      if (method && method !== record.method) continue;
      if (digest && digest !== blob) continue;
      if (typeof path === 'string' && !record.path.includes(path)) continue;
      if (path instanceof RegExp && !path.test(record.path)) continue;
      fault.seen += 1;
      const skip = fault.skip ?? 0;
      if (fault.seen > skip && fault.seen <= skip + (fault.times ?? 1)) return fault.action;
    }
    return undefined;
  }

  #sendManifest(path: string, end: Ending, action: Misbehaviour | undefined): void {
    const [, name, reference] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(path) ?? [];
    const manifest = this.#manifests.get(`${name}@${reference}`);
    if (!manifest) {
      const known = [...this.#manifests.keys()].some((key) => key.startsWith(`${name}@`));
      const code = known ? 'MANIFEST_UNKNOWN' : 'NAME_UNKNOWN';
      end(404, {}, errorBody(code, 'not known to registry'));
      return;
    }
    const headers = { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest };
    end(200, headers, manifest.bytes, action);
  }

  #authorized({ headers: { authorization = '' } }: RecordedRequest): boolean {
    if (this.options.auth === 'basic') return this.#knows(authorization);
    if (this.options.auth !== 'token') return true;
    return authorization.startsWith('Bearer ') && this.tokens.has(authorization.slice(7));
  }

  #knows(authorization: string): boolean {
    const [username = '', password] = atob(authorization.replace(/^Basic /, '')).split(/:(.*)/s);
    return this.options.accounts?.[username] === password && password !== undefined;
  }

  #challenge(path: string): Record<string, string> {
    if (this.options.auth === 'basic') return { 'www-authenticate': 'Basic realm="test"' };
    const name = /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(path)?.[1];
    const scope = name ? `,scope="repository:${name}:pull"` : '';
    return {
      'www-authenticate': `Bearer realm="http://${this.host}/token",service="test, registry"${scope}`,
    };
  }

  /** Docker's token specification (GET) and its OAuth2 variant (POST with a refresh token). */
  #giveToken(record: RecordedRequest, end: Ending): void {
    const { accounts, refreshToken, tokenSeconds = 300 } = this.options;
    const refused =
      record.method === 'POST'
        ? new URLSearchParams(record.body).get('refresh_token') !== refreshToken
        : accounts && !this.#knows(record.headers.authorization ?? '');
    if (refused) {
      end(401, {}, errorBody('UNAUTHORIZED', 'incorrect username or password'));
      return;
    }
    const token = randomBytes(16).toString('hex');
    this.tokens.add(token);
    const field = record.method === 'POST' ? 'access_token' : 'token';
    const body = Buffer.from(JSON.stringify({ [field]: token, expires_in: tokenSeconds }));
    end(200, { 'content-type': 'application/json' }, body);
  }
}

export function startFaultyRegistry(options: FaultyRegistryOptions = {}): Promise<FaultyRegistry> {
  return FaultyRegistry.start(options);
}

type Ending = (
  status: number,
  headers: Record<string, string>,
  bytes: Buffer,
  action?: Misbehaviour | undefined,
) => void;

function sendBlob(bytes: Buffer, range: string | undefined, end: Ending, action?: Misbehaviour): void {
  const headers = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' };
  const asked = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(asked) || action?.type === 'ignore-range') {
    end(200, headers, bytes, action);
  } else if (asked >= bytes.length) {
    end(416, { 'content-range': `bytes */${bytes.length}` }, Buffer.alloc(0));
  } else {
    const start = action?.type === 'wrong-range' ? Math.max(0, asked + action.shift) : asked;
    const contentRange = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    end(206, { ...headers, 'content-range': contentRange }, bytes.subarray(start), action);
  }
}

function kindOf(path: string): RequestKind {
  if (path.startsWith('/token')) return 'token';
  if (path.includes('/manifests/')) return 'manifest';
  return path.includes('/blobs/') ? 'blob' : 'ping';
}

function errorBody(code: string, message: string): Buffer {
  return Buffer.from(JSON.stringify({ errors: [{ code, message }] }));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
