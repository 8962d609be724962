import type { Credentials, PullOptions } from '../../lib/image';

/** One row of the dialog. The password is a Node-RED credential of its own, `password<slot>`. */
export interface RegistryRow {
  host: string;
  username?: string;
  slot?: number;
  insecure?: boolean;
}

/** How many registries a fog-host can hold: Node-RED wants the names of credentials in advance. */
export const REGISTRY_SLOTS = 8;

/** How to reach the registry that an image reference names. */
export type RegistryAccess = Pick<PullOptions, 'credentials' | 'insecure'>;

/** Answers what the dialog's rows say about the registry of `image`. */
export function registryAccess(
  rows: RegistryRow[],
  passwords: Record<string, string | undefined>,
  image: string,
): RegistryAccess {
  const row = rows.find(({ host }) => canonicalRegistry(host) === registryOf(image));
  if (!row) return {};
  const password = row.slot === undefined ? undefined : passwords[`password${row.slot}`];
  const credentials: Credentials | undefined =
    row.username && password ? { username: row.username, password } : undefined;
  return { ...(credentials ? { credentials } : {}), ...(row.insecure ? { insecure: true } : {}) };
}

/** The first part of a reference is a registry if it has a dot or a port, or is `localhost`. */
function registryOf(image: string): string | undefined {
  if (/^(oci|oci-archive|docker-archive):/.test(image)) return undefined;
  const [first, ...rest] = image.split('/');
  const named = rest.length > 0 && (/[.:]/.test(first!) || first === 'localhost');
  return canonicalRegistry(named ? first! : 'docker.io');
}

function canonicalRegistry(host: string): string {
  const name = host
    .trim()
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '')
    .toLowerCase();
  return ['index.docker.io', 'registry-1.docker.io'].includes(name) ? 'docker.io' : name;
}
