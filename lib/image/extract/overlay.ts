import { LayerBreakoutError, LayerCorruptError } from './errors';
import { showName } from './names';

/** How overlayfs marks what a layer removes (kernel, filesystems/overlayfs, "whiteouts and opaque directories"). */
export const OPAQUE_XATTR = 'trusted.overlay.opaque';
export const OPAQUE_VALUE = Buffer.from('y');

/** How an image's layer does (OCI image-spec, layer.md, "Whiteouts"). */
const WHITEOUT_PREFIX = '.wh.';
const WHITEOUT_META_PREFIX = '.wh..wh.';
const OPAQUE_NAME = '.wh..wh..opq';

/** Marks in a layer: hide everything below this folder; hide one name; AUFS's own files, of no use here. */
export type Whiteout = { kind: 'opaque' } | { kind: 'name'; base: string } | { kind: 'meta' };

/** What a file name means as a mark; undefined for an ordinary name. */
export function readWhiteout(base: string): Whiteout | undefined {
  if (!base.startsWith(WHITEOUT_PREFIX)) return undefined;
  if (base === OPAQUE_NAME) return { kind: 'opaque' };
  if (base.startsWith(WHITEOUT_META_PREFIX)) return { kind: 'meta' };
  const hidden = base.slice(WHITEOUT_PREFIX.length);
  if (hidden === '') throw new LayerCorruptError('a whiteout has no name');
  if (hidden === '.' || hidden === '..') throw new LayerBreakoutError(`the whiteout ${showName(base)}`);
  return { kind: 'name', base: hidden };
}

/** No layer may set the marks of overlayfs itself. */
export function isForgedXattr(name: string): boolean {
  return name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.');
}

/** True if an attribute that could not be set may be left out. Lost capabilities would break a program. */
export function isSkippableXattr(name: string, code: string | undefined): boolean {
  if (code === 'ENOTSUP' || code === 'EOPNOTSUPP') return true;
  return name !== 'security.capability' && ['EPERM', 'EINVAL', 'ERANGE', 'E2BIG'].includes(code ?? '');
}
