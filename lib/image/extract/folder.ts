import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, renameSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { markUnrelatedFolders } from '../../base';

/**
 * Makes the empty folder that a layer is unpacked into; its parent must exist.
 *
 * On ext4 the place of a folder decides where all the files in it go. Without a journal, ext4 does not use an
 * inode again for minutes after its file was deleted, and skips such inodes one by one at each creation: near a
 * tree removed a moment ago (an interrupted pull, a prune) files are made 10 times slower. ext4 chooses the
 * region for a folder by a hash of its name, so a random first name takes the layer elsewhere.
 */
export function createLayerFolder(path: string): void {
  const parent = dirname(path);
  const descriptor = openSync(parent, 'r');
  try {
    markUnrelatedFolders(descriptor);
  } finally {
    closeSync(descriptor);
  }
  const firstName = `${path}.${randomBytes(6).toString('hex')}`;
  mkdirSync(firstName, 0o755);
  try {
    renameSync(firstName, path);
  } catch (error) {
    rmdirSync(firstName);
    throw error;
  }
}
