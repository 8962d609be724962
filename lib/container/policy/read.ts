import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DataDirectory } from '../../base';
import { PolicyInvalidError } from '../errors';
import { type PolicyDocument, parsePolicy } from './document';

/** Where the policy of a host is kept that has none in its data directory. */
const SYSTEM_FILE = '/etc/garua/policy.json';
const WRITABLE_BY_OTHERS = 0o022;
/** A policy is read at every start of a container; nobody needs a longer one. */
const MAXIMUM_LENGTH = 1 << 20;

export interface PolicyFile {
  path: string;
  document: PolicyDocument;
  /** There is no such file: nobody has restricted anything. */
  isAbsent?: true;
}

/**
 * The policy as it is now: of the data directory, else of /etc/garua. Without any, an empty document, and the
 * path where one would be looked for.
 *
 * @throws {PolicyInvalidError} when there is one that cannot be relied on: then nothing is allowed
 */
export async function readPolicy(directory: DataDirectory, systemFile = SYSTEM_FILE): Promise<PolicyFile> {
  for (const path of [directory.join('policy.json'), systemFile]) {
    const json = await readTrusted(path);
    if (json === undefined) continue;
    try {
      return { path, document: parsePolicy(json) };
    } catch (cause) {
      throw new PolicyInvalidError(path, (cause as Error).message, { cause });
    }
  }
  return { path: systemFile, document: {}, isAbsent: true };
}

/** The text of a file that only root can have written; undefined when there is none. */
async function readTrusted(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new PolicyInvalidError(path, `it cannot be read: ${message}`, { cause });
  }
  try {
    // Asked of the open file, which nobody can exchange any more.
    const status = await file.stat();
    if (!status.isFile()) throw new PolicyInvalidError(path, 'it is not a file');
    if (status.uid !== 0) throw new PolicyInvalidError(path, 'it does not belong to root');
    if (status.mode & WRITABLE_BY_OTHERS)
      throw new PolicyInvalidError(path, 'others than root may write to it');
    if (status.size > MAXIMUM_LENGTH) throw new PolicyInvalidError(path, 'it is longer than 1 MiB');
    const folder = await stat(dirname(path));
    if (folder.uid !== 0 || folder.mode & WRITABLE_BY_OTHERS) {
      throw new PolicyInvalidError(
        path,
        'others than root may exchange it, for its folder is theirs to write to',
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
