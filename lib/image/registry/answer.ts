import type { IncomingMessage } from 'node:http';
import { AbortedError } from '../../base';
import { ImageUnknownError, ManifestTooLargeError } from '../manifest';
import {
  RegistryError,
  RegistryProtocolError,
  RegistryRateLimitError,
  RegistryTimeoutError,
  RegistryUnauthorizedError,
  RegistryUnavailableError,
} from './errors';
import { networkError } from './network-error';

const ERROR_BODY_LIMIT = 16 << 10;
const SHOWN_MESSAGE = 200;
const MAX_RETRY_AFTER_MS = 24 * 3600 * 1000;
/** A short document may take this many idle time limits, however it trickles in. */
const DOCUMENT_PATIENCE = 4;

export interface DocumentOptions {
  /** Bytes; more is an error. */
  limit: number;
  idleMs: number;
  signal?: AbortSignal | undefined;
  /** Return what fits instead of failing. */
  truncate?: boolean;
}

/**
 * Reads a small body as a whole.
 *
 * @throws {ManifestTooLargeError} {RegistryUnreachableError} {RegistryTimeoutError} {AbortedError}
 */
export function readDocument(what: string, response: IncomingMessage, options: DocumentOptions) {
  const { limit, idleMs, signal, truncate = false } = options;
  return new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (error?: Error) => {
      clearTimeout(idle);
      clearTimeout(total);
      signal?.removeEventListener('abort', onAbort);
      response.on('error', () => {});
      if (error || !response.complete) response.destroy();
      if (error) reject(error);
      else resolve(Buffer.concat(chunks).subarray(0, limit));
    };
    const onAbort = () => finish(new AbortedError(`reading ${what}`, { cause: signal?.reason }));
    const tooSlow = () => finish(new RegistryTimeoutError(`${what} did not arrive in time`));
    const idle = setTimeout(tooSlow, idleMs);
    const total = setTimeout(tooSlow, idleMs * DOCUMENT_PATIENCE);
    const tooLarge = () => (truncate ? finish() : finish(new ManifestTooLargeError(what, limit)));
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    response.on('data', (chunk: Buffer) => {
      idle.refresh();
      chunks.push(chunk);
      size += chunk.length;
      if (size > limit) tooLarge();
    });
    response.on('end', () => finish());
    response.on('error', (error) => finish(networkError(what, error)));
    if (Number(response.headers['content-length']) > limit && !truncate) tooLarge();
  });
}

/** What an answer that is neither 2xx nor 401 means. Reads its body, of which little is shown. */
export async function answerError(
  what: string,
  response: IncomingMessage,
  options: { idleMs: number; signal?: AbortSignal | undefined; redact: (text: string) => string },
): Promise<Error> {
  const status = response.statusCode!;
  const { code, message } = await readErrorBody(response, options);
  const said = message ? `: ${options.redact(message)}` : '';
  const common = { status, retryAfterMs: retryAfter(response.headers['retry-after']) };
  if (status === 429 || code === 'TOOMANYREQUESTS') {
    return new RegistryRateLimitError(
      `the registry limits how often ${what} may be asked for${said}`,
      common,
    );
  }
  if (status === 404) return unknown(what, code);
  if (status === 401 || status === 403) {
    const hint = 'Check the name and the credentials: this account may not read it.';
    return new RegistryUnauthorizedError(`access to ${what} was denied (${status})${said}`, hint, common);
  }
  if (status === 408 || status >= 500) {
    return new RegistryUnavailableError(`the registry failed on ${what} (status ${status})${said}`, common);
  }
  // What Go's and nginx's servers say to plain http on a TLS port.
  const tls = status === 400 && /HTTPS (server|port)/.test(message);
  if (tls) {
    const options = { ...common, wrongScheme: true };
    return new RegistryProtocolError(`the registry of ${what} speaks https only`, undefined, options);
  }
  return new RegistryProtocolError(
    `the registry gave an unexpected answer for ${what} (status ${status})${said}`,
    undefined,
    common,
  );
}

function unknown(what: string, code: string): Error {
  const reasons: Record<string, string> = {
    NAME_UNKNOWN: 'the registry has no repository of this name',
    MANIFEST_UNKNOWN: 'the registry has no such tag or digest',
  };
  return new ImageUnknownError(`${what} was not found: ${reasons[code] ?? 'the registry does not have it'}`);
}

/** distribution-spec, "Error Codes": the first error of the list. */
async function readErrorBody(
  response: IncomingMessage,
  { idleMs, signal }: { idleMs: number; signal?: AbortSignal | undefined },
): Promise<{ code: string; message: string }> {
  let text: string;
  try {
    const options = { limit: ERROR_BODY_LIMIT, idleMs, signal, truncate: true };
    text = (await readDocument('the error message', response, options)).toString('utf8');
  } catch (error) {
    // The status alone says enough.
    if (error instanceof RegistryError) return { code: '', message: '' };
    throw error;
  }
  try {
    const { errors, details } = JSON.parse(text);
    const { code = '', message = '' } = errors?.[0] ?? {};
    return { code: String(code), message: oneLine(String(message || details || '')) };
  } catch {
    // A web page says nothing that helps.
    return { code: '', message: /^\s*</.test(text) ? '' : oneLine(text) };
  }
}

/** Server text made fit for a message: no control characters, not long. */
function oneLine(text: string): string {
  return text
    .replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ')
    .trim()
    .slice(0, SHOWN_MESSAGE);
}

/** Retry-After (RFC 9110, section 10.2.3), seconds or a date, as milliseconds from now. */
export function retryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (!header) return undefined;
  const milliseconds = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  if (Number.isNaN(milliseconds)) return undefined;
  return Math.min(Math.max(milliseconds, 0), MAX_RETRY_AFTER_MS);
}
