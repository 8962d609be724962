import { createHash } from 'node:crypto';
import { throwIfAborted } from '../../base';
import type { Descriptor, Digest, Platform, ResolvedImage } from '../image';
import { choosePlatform, formatPlatform, PlatformNotFoundError, platformRank } from '../reference';
import { ManifestDigestMismatchError, ManifestInvalidError, ManifestTooLargeError } from './errors';
import { parseConfig, parseManifest } from './parse';

/** Bytes accepted for a manifest or an index; registries refuse larger ones (distribution-spec). */
export const MAX_MANIFEST_SIZE = 4 << 20;
/** Bytes accepted for an image configuration. */
export const MAX_CONFIG_SIZE = 8 << 20;
/** An index may name an index; more than this is a loop or a joke. */
const MAX_INDEX_DEPTH = 4;

/** Where manifests and configurations come from. Answers are verified here, not there. */
export interface ManifestStore {
  /** What messages call the image. */
  readonly name: string;
  readManifest(descriptor: Descriptor, signal?: AbortSignal): Promise<Uint8Array>;
  readConfig(descriptor: Descriptor, signal?: AbortSignal): Promise<Uint8Array>;
}

/**
 * Walks from the top document (an index or a manifest whose digest the caller has verified) to the image for
 * a platform.
 *
 * @throws {PlatformNotFoundError} {ManifestInvalidError} {ManifestUnsupportedError}
 *   {ManifestDigestMismatchError} {ManifestTooLargeError}
 */
export async function resolveImage(
  store: ManifestStore,
  top: Uint8Array,
  platform: Platform,
  signal?: AbortSignal,
): Promise<ResolvedImage> {
  let bytes = top;
  let offered: Platform[] | undefined;
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth += 1) {
    throwIfAborted(signal, `resolving ${store.name}`);
    const parsed = parseManifest(`the manifest of ${store.name}`, bytes);
    if (parsed.kind === 'manifest') {
      const { manifest } = parsed;
      checkSize(`the configuration of ${store.name}`, manifest.config.size, MAX_CONFIG_SIZE);
      const configBytes = await store.readConfig(manifest.config, signal);
      verifyBytes(`the configuration of ${store.name}`, configBytes, manifest.config);
      const what = `the configuration of ${store.name}`;
      const config = parseConfig(what, configBytes, manifest.layers.length);
      checkPlatform(store.name, config, platform);
      const platforms = offered ?? platformsOf([config]);
      return { digest: digestOf(bytes), manifest, config, platforms, manifestBytes: bytes, configBytes };
    }
    offered ??= platformsOf(parsed.descriptors.map((descriptor) => descriptor.platform));
    const chosen = choosePlatform(store.name, parsed.descriptors, platform);
    checkSize(`the manifest of ${store.name}`, chosen.size, MAX_MANIFEST_SIZE);
    bytes = await store.readManifest(chosen, signal);
    verifyBytes(`the manifest of ${store.name}`, bytes, chosen);
  }
  throw new ManifestInvalidError(`the manifest of ${store.name}`, 'its indexes are nested too deeply');
}

/** Each once; what builders store beside images says that it is for `unknown`. */
function platformsOf(all: (Partial<Platform> | undefined)[]): Platform[] {
  const found = new Map<string, Platform>();
  for (const { os, architecture, variant } of all.map((platform) => platform ?? {})) {
    if (!os || !architecture || os === 'unknown') continue;
    const platform: Platform = { os, architecture, ...(variant ? { variant } : {}) };
    found.set(formatPlatform(platform), platform);
  }
  return [...found.values()];
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** @throws {ManifestDigestMismatchError} */
export function verifyDigest(what: string, bytes: Uint8Array, expected: Digest): void {
  const actual = digestOf(bytes);
  if (actual !== expected) throw new ManifestDigestMismatchError(what, expected, actual);
}

function verifyBytes(what: string, bytes: Uint8Array, descriptor: Descriptor): void {
  verifyDigest(what, bytes, descriptor.digest);
  if (bytes.length !== descriptor.size) {
    throw new ManifestInvalidError(what, `it has ${bytes.length} bytes, not ${descriptor.size} as announced`);
  }
}

/** @throws {ManifestTooLargeError} */
export function checkSize(what: string, size: number, limit: number): void {
  if (size > limit) throw new ManifestTooLargeError(what, limit);
}

/** Old tools leave the platform out: then there is nothing to compare. */
function checkPlatform(
  name: string,
  { os, architecture, variant }: Partial<Platform>,
  wanted: Platform,
): void {
  if (!os || !architecture) return;
  const offered: Platform = { os, architecture, ...(variant ? { variant } : {}) };
  if (platformRank(wanted, offered) === undefined) throw new PlatformNotFoundError(name, wanted, [offered]);
}
