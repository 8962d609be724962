import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../base';
import type { Disk } from '../disk/disk';
import { FileMissingError } from '../disk/disk-error';
import { NasMissingError } from '../errors';
import type { NasPaths } from './paths';

export interface MarkerOptions {
  disk: Disk;
  paths: NasPaths;
  /** Remembers, off the NAS, which NAS this host uses. */
  memory: string;
  /** Whether the folder itself may be made: true for a folder of the host's own. */
  mayCreateFolder: boolean;
}

/**
 * Makes sure that the folder is the site's NAS: a marker file holds an id, which the host remembers. A folder
 * without it is only turned into a NAS when this host has never seen one there.
 *
 * @throws {NasMissingError}
 */
export async function checkMarker(options: MarkerOptions): Promise<void> {
  const { disk, paths, memory } = options;
  const known = await remembered(memory, disk.folder);
  let marker = await readMarker(options);
  const isNew = marker === undefined;
  if (!marker) {
    if (known) throw new NasMissingError(disk.folder, 'its marker file garua/site.json is not there');
    marker = await createMarker(options);
  }
  const { id } = marker;
  if (known && known !== id) {
    throw new NasMissingError(
      disk.folder,
      `another store is there (${id} instead of ${known}); to use it from now on, remove ${memory}`,
    );
  }
  await disk.run('makeFoldersIn', paths.root, paths.folders);
  if (isNew) await disk.run('makeFoldersIn', paths.objects, paths.objectFolders);
  if (!known) await writeFileAtomic(memory, JSON.stringify({ id, folder: disk.folder }));
}

/** The id of the NAS that was in the folder; another folder is another NAS, and was never seen. */
async function remembered(memory: string, folder: string): Promise<string | undefined> {
  const text = await readFile(memory, 'utf8').catch(() => '{}');
  try {
    const last = JSON.parse(text) as { id?: string; folder?: string };
    return last.folder === folder ? last.id : undefined;
  } catch {
    return undefined;
  }
}

async function readMarker({ disk, paths }: MarkerOptions): Promise<{ id: string } | undefined> {
  const text = await disk.run('readSmall', paths.marker);
  if (text === undefined) return undefined;
  try {
    const { id } = JSON.parse(text) as { id: unknown };
    if (typeof id === 'string') return { id };
  } catch {}
  throw new NasMissingError(disk.folder, 'its marker file garua/site.json cannot be read');
}

async function createMarker(options: MarkerOptions): Promise<{ id: string }> {
  const { disk, paths, mayCreateFolder } = options;
  try {
    if (mayCreateFolder) await disk.run('makeFolders', [dirname(paths.root)]);
    await disk.run('makeFolders', [paths.root]);
  } catch (error) {
    if (!(error instanceof FileMissingError)) throw error;
    throw new NasMissingError(disk.folder, 'there is no such folder', { cause: error });
  }
  const id = randomUUID();
  await disk.run('createExclusive', paths.marker, JSON.stringify({ id }));
  // Another host may have been quicker: its marker counts.
  return (await readMarker(options))!;
}
