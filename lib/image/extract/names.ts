import { LayerBreakoutError, LayerCorruptError } from './errors';

/** Something that is not plain: empty, `.` or `..` components. */
const NEEDS_CLEANING = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * A name from the archive as a path below the root: no slash at either end, no empty, `.` or `..` component.
 * The root itself is `''`. As in containerd, `..` is taken by the text, before any symbolic link.
 *
 * @throws {LayerBreakoutError} if the name climbs above the root
 * @throws {LayerCorruptError} if it holds a zero byte
 */
export function cleanName(name: string): string {
  if (name.includes('\0')) throw new LayerCorruptError('a name holds a zero byte');
  const start = name.startsWith('./') ? 2 : 0;
  const trimmed = name.slice(start, name.endsWith('/') ? -1 : undefined);
  if (!NEEDS_CLEANING.test(trimmed)) return trimmed;
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..' && parts.pop() === undefined) throw new LayerBreakoutError(`"${showName(name)}"`);
    else if (part !== '' && part !== '.' && part !== '..') parts.push(part);
  }
  return parts.join('/');
}

/** Parent and last component of a clean name. */
export function splitName(name: string): [parent: string, base: string] {
  const slash = name.lastIndexOf('/');
  return slash < 0 ? ['', name] : [name.slice(0, slash), name.slice(slash + 1)];
}

export function joinName(parent: string, base: string): string {
  return parent === '' ? base : `${parent}/${base}`;
}

/** A byte string for people: as UTF-8, with whatever could play tricks on a terminal escaped. */
export function showName(name: string): string {
  const text = Buffer.from(name, 'latin1').toString();
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16)}`,
  );
}
