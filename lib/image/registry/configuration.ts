import { readFile } from 'node:fs/promises';
import { RegistryConfigurationError } from './errors';
import { isLoopback, registryKey } from './hosts';

/** How registries are reached; `registries.json` in the data directory has this form. */
export interface RegistryConfiguration {
  /** By registry: base URLs that are tried, in this order, before the registry itself. */
  mirrors?: Record<string, string[]>;
  /** `host:port` for which plain http and unverified certificates are allowed. */
  insecure?: string[];
}

/** One base URL at which a repository may be found. */
export interface Endpoint {
  /** Without `/v2/`; the path ends in a slash. */
  url: URL;
  /** Whose credentials are used. */
  registry: string;
  /** Plain http and unverified certificates are allowed. */
  insecure: boolean;
  mirror: boolean;
}

const HINT = 'It has the form {"mirrors": {"docker.io": ["http://mirror:5000"]}, "insecure": ["host:port"]}.';

/**
 * Reads `registries.json`; a missing file is an empty configuration.
 *
 * @throws {RegistryConfigurationError}
 */
export async function loadRegistryConfiguration(path: string): Promise<RegistryConfiguration> {
  let document: unknown;
  try {
    document = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new RegistryConfigurationError(`${path} cannot be read`, HINT, { cause: error });
  }
  const { mirrors = {}, insecure = [] } = (document ?? {}) as Record<string, unknown>;
  const valid =
    isTextList(insecure) && typeof mirrors === 'object' && Object.values(mirrors ?? {}).every(isTextList);
  if (!valid) throw new RegistryConfigurationError(`${path} is not valid`, HINT);
  return { mirrors: (mirrors ?? {}) as Record<string, string[]>, insecure };
}

/**
 * Where to look for a registry's images, best first: its mirrors, then itself, by https unless it is on this
 * machine or listed as insecure.
 *
 * @throws {RegistryConfigurationError} for a mirror that is no URL.
 */
export function endpointsOf(
  registry: string,
  configuration: RegistryConfiguration = {},
  insecure = false,
): Endpoint[] {
  const key = registryKey(registry);
  const listed = new Set((configuration.insecure ?? []).map(registryKey));
  const endpoints: Endpoint[] = [];
  for (const [name, mirrors] of Object.entries(configuration.mirrors ?? {})) {
    if (registryKey(name) !== key) continue;
    for (const mirror of mirrors) endpoints.push(mirrorEndpoint(mirror, listed));
  }
  const host = key === 'docker.io' ? 'registry-1.docker.io' : registry;
  const at = (scheme: string, allowInsecure: boolean): Endpoint => ({
    url: new URL(`${scheme}://${host}/`),
    registry: key,
    insecure: allowInsecure,
    mirror: false,
  });
  // On this machine plain http is the rule and nobody listens; elsewhere https is tried first.
  if (isLoopback(new URL(`http://${host}/`).hostname)) endpoints.push(at('http', true), at('https', true));
  else if (insecure || listed.has(key)) endpoints.push(at('https', true), at('http', true));
  else endpoints.push(at('https', false));
  return endpoints;
}

function mirrorEndpoint(mirror: string, listed: Set<string>): Endpoint {
  const url = URL.parse(mirror);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new RegistryConfigurationError(`the mirror ${JSON.stringify(mirror)} is not an http(s) URL`, HINT);
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  const insecure = url.protocol === 'http:' || isLoopback(url.hostname) || listed.has(registryKey(url.host));
  return { url, registry: registryKey(url.host), insecure, mirror: true };
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
