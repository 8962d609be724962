import { posix } from 'node:path';
import type { Mount } from '../container';
import { invalidField } from '../errors';
import { absolutePath, boolean, type FieldCheck, fields, list, matching, oneOf, wholeNumber } from './checks';

export type CompleteMount =
  | { type: 'bind' | 'volume'; source: string; target: string; readOnly: boolean }
  | { type: 'tmpfs'; target: string; readOnly: boolean; size: number };

const DEFAULT_TMPFS_SIZE = 64 * 2 ** 20;
const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

export const checkVolumeName: FieldCheck = matching(
  VOLUME_NAME,
  'is not a volume name (letters, digits, "_", "." and "-")',
);

export function checkMounts(value: unknown, field: string): void {
  const targets = new Set<string>();
  list(value, field).forEach((item, index) => {
    const where = `${field}[${index}]`;
    fields(item, where, {
      type: oneOf(['bind', 'volume', 'tmpfs']),
      source: () => {},
      target: absolutePath,
      readOnly: boolean,
      size: wholeNumber(4096, Number.MAX_SAFE_INTEGER, 'a number of bytes'),
    });
    const { type = 'bind', source, target, size } = item as Partial<Mount>;
    if (type === 'bind') absolutePath(source, `${where}.source`);
    else if (type === 'volume') checkVolumeName(source, `${where}.source`);
    else if (source !== undefined) throw invalidField(`${where}.source`, 'a tmpfs has no source');
    if (size !== undefined && type !== 'tmpfs')
      throw invalidField(`${where}.size`, 'only a tmpfs has a size');
    absolutePath(target, `${where}.target`);
    const clean = withoutTrailingSlash(target);
    if (clean === '/' || /^\/(proc|sys|dev)$/.test(clean) || clean.startsWith('/proc/')) {
      throw invalidField(`${where}.target`, `nothing can be mounted over ${clean}`);
    }
    if (targets.has(clean)) throw invalidField(`${where}.target`, `${clean} is mounted twice`);
    targets.add(clean);
  });
}

/** `mounts` have passed `checkMounts`. */
export function completeMounts(mounts: Mount[]): CompleteMount[] {
  return mounts.map(({ type = 'bind', source = '', target, readOnly = false, size = DEFAULT_TMPFS_SIZE }) => {
    const common = { target: withoutTrailingSlash(target), readOnly };
    if (type === 'tmpfs') return { type, ...common, size };
    return { type, source: type === 'bind' ? posix.normalize(source) : source, ...common };
  });
}

function withoutTrailingSlash(path: string): string {
  return posix.normalize(path).replace(/(.)\/$/, '$1');
}
