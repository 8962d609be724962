import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from '../image';
import { type DockerConfig, findInDockerConfig } from './docker-config';
import { RegistryConfigurationError } from './errors';
import { registryKey } from './hosts';

/** What proves to a registry who asks. */
export type RegistryLogin =
  | { kind: 'password'; username: string; password: string }
  /** A refresh token, exchanged at the token service. */
  | { kind: 'identity'; token: string }
  /** Sent to the registry as it is. */
  | { kind: 'bearer'; token: string };

export interface FoundLogin {
  login?: RegistryLogin;
  /** Why a place that should have known could not say; shown when the registry then refuses. */
  problem?: string;
}

export interface CredentialPlaces {
  /** Given for this pull; goes before all others, for this one registry. */
  given?: { registry: string; credentials: Credentials } | undefined;
  /** Garua's own file: `{"registry": {"username", "password"}}`, mode 0600. */
  file?: string | undefined;
  /** Docker's; `null` for none. Default `$DOCKER_CONFIG/config.json`, or that of `~/.docker`. */
  dockerConfig?: DockerConfig | null | undefined;
}

/** Docker's convention for "the password is a refresh token". */
const IDENTITY_USER = '<token>';

/**
 * Looks a registry up in all places, the nearest first.
 *
 * @throws {RegistryConfigurationError} when Garua's own file cannot be used.
 */
export async function findLogin(
  registry: string,
  places: CredentialPlaces,
  signal?: AbortSignal,
): Promise<FoundLogin> {
  const key = registryKey(registry);
  const { given, file, dockerConfig } = places;
  if (given && registryKey(given.registry) === key) return { login: toLogin(given.credentials) };
  if (file) {
    const stored = await readCredentialFile(file);
    for (const [name, credentials] of Object.entries(stored)) {
      if (registryKey(name) === key) return { login: toLogin(credentials) };
    }
  }
  if (dockerConfig === null) return {};
  return findInDockerConfig(key, dockerConfig ?? {}, signal);
}

/** Garua's credential file under a data directory. */
export function credentialFile(dataDirectory: string): string {
  return join(dataDirectory, 'credentials.json');
}

export function toLogin({ username, password }: Credentials): RegistryLogin {
  if (username === IDENTITY_USER) return { kind: 'identity', token: password };
  return { kind: 'password', username, password };
}

async function readCredentialFile(path: string): Promise<Record<string, Credentials>> {
  const hint = 'It has the form {"registry": {"username": "...", "password": "..."}} and mode 0600.';
  let text: string;
  try {
    const file = await open(path, 'r');
    try {
      const { mode } = await file.stat();
      if ((mode & 0o077) !== 0) {
        throw new RegistryConfigurationError(
          `${path} can be read or changed by others`,
          `Run: chmod 600 ${path}`,
        );
      }
      text = await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    if (error instanceof RegistryConfigurationError) throw error;
    throw new RegistryConfigurationError(`${path} cannot be read`, hint, { cause: error });
  }
  const stored = parseObject(text);
  // The parser's own message would quote the file.
  if (!stored || !Object.values(stored).every(isCredentials)) {
    throw new RegistryConfigurationError(`${path} is not valid`, hint);
  }
  return stored as Record<string, Credentials>;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isCredentials(value: unknown): value is Credentials {
  const { username, password } = (value ?? {}) as Partial<Credentials>;
  return typeof username === 'string' && typeof password === 'string';
}
