import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AbortedError, execute } from '../../base';
import { type FoundLogin, toLogin } from './credentials';
import { registryKey } from './hosts';

export interface DockerConfig {
  /** Default `$DOCKER_CONFIG/config.json`, or `~/.docker/config.json`. */
  path?: string;
  /** Where credential helpers are searched; default this process's environment. */
  env?: NodeJS.ProcessEnv;
  /** Milliseconds a credential helper may take. Default 20,000. */
  helperTimeoutMs?: number;
}

/** How Docker Hub is called inside the file and towards helpers. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

interface ConfigFile {
  auths?: Record<string, Record<string, unknown>>;
  credHelpers?: Record<string, unknown>;
  credsStore?: unknown;
}

/** Finds a registry's login as `docker pull` does: a helper for it, the helper for all, the file itself. */
export async function findInDockerConfig(
  registry: string,
  config: DockerConfig,
  signal?: AbortSignal,
): Promise<FoundLogin> {
  const path = config.path ?? join(process.env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
  let file: ConfigFile;
  try {
    file = JSON.parse(await readFile(path, 'utf8')) ?? {};
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return {};
    return { problem: `${path} is not valid JSON` };
  }
  const helper = byRegistry(file.credHelpers, registry) ?? file.credsStore;
  let problem: string | undefined;
  if (typeof helper === 'string' && helper !== '') {
    const found = await askHelper(helper, registry, config, signal);
    if (found.login) return found;
    problem = found.problem;
  }
  const login = loginOf(byRegistry(file.auths, registry));
  return { ...(login ? { login } : {}), ...(problem ? { problem } : {}) };
}

function byRegistry<T>(entries: Record<string, T> | undefined, registry: string): T | undefined {
  return Object.entries(entries ?? {}).find(([name]) => registryKey(name) === registry)?.[1];
}

function loginOf(entry: Record<string, unknown> | undefined): FoundLogin['login'] {
  if (!entry) return undefined;
  const { auth, username, password, identitytoken, registrytoken } = entry;
  if (typeof registrytoken === 'string' && registrytoken) return { kind: 'bearer', token: registrytoken };
  if (typeof identitytoken === 'string' && identitytoken) return { kind: 'identity', token: identitytoken };
  if (typeof auth === 'string' && auth) {
    const [, user, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString('utf8')) ?? [];
    // Old clients pad the password with zero bytes.
    if (user && secret !== undefined)
      return toLogin({ username: user, password: secret.replace(/\0+$/, '') });
  }
  if (typeof username === 'string' && typeof password === 'string') return toLogin({ username, password });
  return undefined;
}

/** docker-credential-helpers: `get` takes the server on stdin and answers JSON on stdout. */
async function askHelper(
  helper: string,
  registry: string,
  { env, helperTimeoutMs = 20_000 }: DockerConfig,
  signal?: AbortSignal,
): Promise<FoundLogin> {
  const program = `docker-credential-${helper}`;
  if (!/^[A-Za-z0-9._-]+$/.test(helper)) return { problem: `${program} is not the name of a program` };
  try {
    const { exitCode, stdout } = await execute(program, ['get'], {
      input: registry === 'docker.io' ? DOCKER_HUB : registry,
      timeoutMs: helperTimeoutMs,
      maxOutput: 1 << 20,
      allowFailure: true,
      signal,
      ...(env ? { env } : {}),
    });
    if (exitCode !== 0) {
      return /not found/i.test(stdout) ? {} : { problem: `${program} failed (status ${exitCode})` };
    }
    const { Username, Secret } = JSON.parse(stdout);
    if (typeof Username === 'string' && typeof Secret === 'string') {
      return { login: toLogin({ username: Username, password: Secret }) };
    }
    return { problem: `${program} gave no user name and secret` };
  } catch (error) {
    if (error instanceof AbortedError) throw error;
    // Not the error's own text: a JSON error would quote the secret.
    return {
      problem: error instanceof SyntaxError ? `${program} gave no JSON` : `${program} could not be asked`,
    };
  }
}
