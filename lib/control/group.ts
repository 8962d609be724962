import { readFile } from 'node:fs/promises';
import { execute } from '../base';

/** A name service that does not answer must not keep a host from starting, in milliseconds. */
const PATIENCE = 5_000;

/** The number of a group; undefined when there is none. Groups of a directory service (LDAP) count too. */
export async function groupId(name: string): Promise<number | undefined> {
  const entry =
    find(await readFile('/etc/group', 'utf8').catch(() => ''), name) ?? (await fromNameService(name));
  return entry === undefined ? undefined : Number(entry.split(':')[2]);
}

async function fromNameService(name: string): Promise<string | undefined> {
  try {
    return find((await execute('getent', ['group', name], { timeoutMs: PATIENCE })).stdout, name);
  } catch {
    return undefined;
  }
}

function find(table: string, name: string): string | undefined {
  return table.split('\n').find((line) => line.startsWith(`${name}:`));
}
