import { lstatSync, type Stats } from 'node:fs';
import { isWhiteout } from './tree';

/**
 * The directory of that name in the layers below, uppermost first: a folder that a layer implies but does not
 * hold would else hide the owner and mode that it has there (as containerd does). No link is followed.
 */
export function findLowerDirectory(lowerFolders: string[], name: string): Stats | undefined {
  for (const folder of lowerFolders) {
    const found = lookUp(Buffer.from(folder).toString('latin1'), name);
    if (found === 'hidden') return undefined;
    if (found) return found;
  }
  return undefined;
}

function lookUp(folder: string, name: string): Stats | 'hidden' | undefined {
  let path = folder;
  let found: Stats | undefined;
  for (const part of ['', ...name.split('/').filter(Boolean)]) {
    if (part) path += `/${part}`;
    found = lstatSync(Buffer.from(path, 'latin1'), { throwIfNoEntry: false });
    if (!found) return undefined;
    if (isWhiteout(found) || !found.isDirectory()) return 'hidden';
  }
  return found;
}
