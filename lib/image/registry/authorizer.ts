import { AbortedError, SingleFlight } from '../../base';
import { answerError, readDocument } from './answer';
import { type Challenge, parseChallenges } from './challenge';
import type { FoundLogin, RegistryLogin } from './credentials';
import { RegistryProtocolError, RegistryUnauthorizedError } from './errors';
import { isLoopback } from './hosts';
import { discard, type Transport } from './transport';

export interface AuthorizerOptions {
  transport: Transport;
  registry: string;
  repository: string;
  insecure: boolean;
  /** Asked only when the registry wants to know. */
  findLogin: (signal?: AbortSignal) => Promise<FoundLogin>;
}

const TOKEN_DOCUMENT_LIMIT = 1 << 20;
/** What a token service that names no lifetime means (distribution, token specification). */
const DEFAULT_TOKEN_SECONDS = 60;

/** Keeps the Authorization header for one repository of one registry current. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #renewals = new SingleFlight<void>();
  readonly #secrets = new Set<string>();
  #header: string | undefined;
  #expiresAt = Number.POSITIVE_INFINITY;
  #challenge: Challenge | undefined;
  #found: FoundLogin | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The header to send, renewed when it has run out; undefined until the registry has asked for one. */
  async header(signal?: AbortSignal): Promise<string | undefined> {
    if (this.#challenge && Date.now() >= this.#expiresAt) await this.#renew(this.#header, signal);
    return this.#header;
  }

  /**
   * Answers a 401: afterwards `header()` gives another one than `rejected`.
   *
   * @throws {RegistryUnauthorizedError} {RegistryProtocolError} and what the token service's failures are.
   */
  async answer(wwwAuthenticate: string, rejected: string | undefined, signal?: AbortSignal): Promise<void> {
    const challenges = parseChallenges(wwwAuthenticate);
    const challenge =
      challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.realm) ??
      challenges.find(({ scheme }) => scheme === 'basic');
    if (!challenge) {
      throw new RegistryProtocolError(
        `${this.#options.registry} wants an authentication that is not known (${challenges[0]?.scheme ?? 'none named'})`,
      );
    }
    this.#challenge = challenge;
    await this.#renew(rejected, signal);
  }

  /** The credentials were understood, and did not suffice. */
  refused(said = ''): RegistryUnauthorizedError {
    const { registry, repository } = this.#options;
    const { login, problem } = this.#found ?? {};
    const who =
      login?.kind === 'password' ? `the user ${login.username}` : login ? 'this token' : 'anonymous';
    const hint = login
      ? 'Check user name and password (or token), and that this account may read the repository.'
      : 'Check the name; if the repository is private, give credentials for this registry.';
    return new RegistryUnauthorizedError(
      `${registry} refused ${who} access to ${repository}${said ? `: ${this.redact(said)}` : ''}`,
      problem ? `${hint} (${problem}.)` : hint,
      { status: 401 },
    );
  }

  /** Takes secrets out of a text that a server wrote. */
  redact(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, '[redacted]');
    return clean;
  }

  /** Joins concurrent renewals: one token is enough for all requests that were rejected. */
  async #renew(rejected: string | undefined, signal?: AbortSignal): Promise<void> {
    while (this.#header === rejected || Date.now() >= this.#expiresAt) {
      try {
        await this.#renewals.run('token', () => this.#obtain(signal));
        return;
      } catch (error) {
        // The caller whose renewal was joined gave up; this one has not.
        if (!(error instanceof AbortedError) || signal?.aborted) throw error;
      }
    }
  }

  async #obtain(signal?: AbortSignal): Promise<void> {
    this.#found ??= await this.#options.findLogin(signal);
    const { login } = this.#found;
    const { scheme, parameters } = this.#challenge!;
    if (login) this.#keepSecret(login);
    if (login?.kind === 'bearer') return this.#set(`Bearer ${login.token}`);
    if (scheme === 'basic') {
      if (login?.kind !== 'password') throw this.refused();
      return this.#set(basic(login));
    }
    const { token, seconds } = await this.#requestToken(parameters, login, signal);
    this.#secrets.add(token);
    // A fifth of the time is kept in reserve, so that no request starts with a token about to end.
    this.#set(`Bearer ${token}`, Date.now() + seconds * 800);
  }

  #set(header: string, expiresAt = Number.POSITIVE_INFINITY): void {
    this.#header = header;
    this.#expiresAt = expiresAt;
  }

  #keepSecret(login: RegistryLogin): void {
    if (login.kind !== 'password') this.#secrets.add(login.token);
    else if (login.password) {
      this.#secrets.add(login.password);
      this.#secrets.add(basic(login).slice('Basic '.length));
    }
  }

  /** distribution, "Token Authentication Specification", and its OAuth2 variant for refresh tokens. */
  async #requestToken(
    { realm, service, scope }: Challenge['parameters'],
    login: RegistryLogin | undefined,
    signal?: AbortSignal,
  ): Promise<{ token: string; seconds: number }> {
    const { transport, repository, insecure } = this.#options;
    const url = this.#realmUrl(realm!, login !== undefined);
    const scopes = scope ? scope.split(' ') : [`repository:${repository}:pull`];
    const request = { headers: {} as Record<string, string>, insecure, signal };
    let body: string | undefined;
    if (login?.kind === 'identity') {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: 'garua',
        service: service ?? '',
        scope: scopes.join(' '),
        refresh_token: login.token,
      });
      body = form.toString();
      request.headers['content-type'] = 'application/x-www-form-urlencoded';
    } else {
      if (service) url.searchParams.set('service', service);
      for (const item of scopes) url.searchParams.append('scope', item);
      if (login?.kind === 'password') {
        url.searchParams.set('account', login.username);
        request.headers.authorization = basic(login);
      }
    }
    const response = await transport.send(url, { ...request, ...(body === undefined ? {} : { body }) });
    const what = `the token service of ${this.#options.registry}`;
    if (response.statusCode === 401 || response.statusCode === 403) {
      discard(response);
      throw this.refused('its token service did not accept the credentials');
    }
    const reading = { idleMs: transport.idleMs, signal };
    if (response.statusCode !== 200) {
      throw await answerError(what, response, { ...reading, redact: (text) => this.redact(text) });
    }
    return parseToken(what, await readDocument(what, response, { ...reading, limit: TOKEN_DOCUMENT_LIMIT }));
  }

  #realmUrl(realm: string, withSecret: boolean): URL {
    const url = URL.parse(realm);
    if (!url || !/^https?:$/.test(url.protocol)) {
      throw new RegistryProtocolError(`${this.#options.registry} names a token service that is no URL`);
    }
    const plain = url.protocol === 'http:' && !isLoopback(url.hostname);
    if (plain && withSecret && !this.#options.insecure) {
      throw new RegistryProtocolError(
        `${this.#options.registry} wants the credentials sent to ${url.host} without encryption`,
        'Have the registry fixed, or allow it as insecure if you trust the network.',
      );
    }
    return url;
  }
}

function parseToken(what: string, body: Buffer): { token: string; seconds: number } {
  let document: Record<string, unknown> = {};
  try {
    document = JSON.parse(body.toString('utf8')) ?? {};
  } catch {
    // The same answer as for a document without a token; the parser's message could quote one.
  }
  const token = document.token || document.access_token;
  // Nothing else may reach a header.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new RegistryProtocolError(`${what} gave no token`);
  }
  const seconds = Number(document.expires_in);
  return { token, seconds: seconds > 0 ? Math.max(seconds, DEFAULT_TOKEN_SECONDS) : DEFAULT_TOKEN_SECONDS };
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}
