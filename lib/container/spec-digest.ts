import { createHash } from 'node:crypto';
import type { CompleteSpec } from './spec/complete';

/**
 * The digest of everything that decides how a container runs: the spec and the image's content. The image's
 * reference counts only through its content, so that a moved tag that means the same image changes nothing.
 */
export function specDigest(spec: CompleteSpec, imageDigest: string): string {
  const { image: _, ...rest } = spec;
  const canonical = JSON.stringify({ ...rest, imageDigest }, sortKeys);
  return `sha256:${createHash('sha256').update(canonical).digest('hex')}`;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
