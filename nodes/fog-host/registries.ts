import { type Credentials, type PullOptions, parseReference, registryKey } from '../../lib/image';

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

/** The passwords of the rows, `password<slot>`. */
export type Passwords = Record<string, string | undefined>;

/** Answers what the dialog's rows say about the registry of `image`. */
export function registryAccess(rows: RegistryRow[], passwords: Passwords, image: string): RegistryAccess {
  const row = rows.find(({ host }) => registryKey(host) === registryOf(image));
  if (!row) return {};
  const password = row.slot === undefined ? undefined : passwords[`password${row.slot}`];
  const credentials: Credentials | undefined =
    row.username && password ? { username: row.username, password } : undefined;
  return { ...(credentials ? { credentials } : {}), ...(row.insecure ? { insecure: true } : {}) };
}

/** What the editor knows of a fog-host that is not deployed as it stands there. */
export interface UnsavedRegistries {
  rows: RegistryRow[];
  /** Only those typed anew: the editor never sees what is deployed. */
  passwords: Passwords;
}

/**
 * The passwords for rows of the editor: those typed there, and the deployed ones of rows that still mean the
 * same account. A deployed password never goes to a registry that somebody else has put into its row.
 */
export function passwordsFor(
  { rows, passwords }: UnsavedRegistries,
  deployed: { rows: RegistryRow[]; passwords: Passwords },
): Passwords {
  const known: Passwords = {};
  for (const { slot, host, username } of rows) {
    if (slot === undefined) continue;
    const name = `password${slot}`;
    const before = deployed.rows.find((row) => row.slot === slot);
    const same = before && registryKey(before.host) === registryKey(host) && before.username === username;
    known[name] = passwords[name] ?? (same ? deployed.passwords[name] : undefined);
  }
  return known;
}

/** No registry for an archive, nor for what is no reference: whoever uses it says what is wrong with it. */
function registryOf(image: string): string | undefined {
  try {
    const reference = parseReference(image);
    return reference.transport === 'registry' ? registryKey(reference.registry) : undefined;
  } catch {
    return undefined;
  }
}
