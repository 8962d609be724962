import type { Descriptor, ImageConfig, ImageManifest, Platform } from '../image';
import { isDigest } from '../reference';
import { ManifestInvalidError, ManifestUnsupportedError } from './errors';
import { DOCKER_CONFIG, isLayerMediaType, OCI_CONFIG } from './media-types';

export type ParsedManifest =
  | { kind: 'index'; descriptors: Descriptor[] }
  | { kind: 'manifest'; manifest: ImageManifest };

type Document = Record<string, unknown>;

/**
 * Reads an index or a manifest, of OCI's or Docker's kind. The document's form decides, not what the server
 * calls it: both kinds have the same fields.
 *
 * @throws {ManifestInvalidError} {ManifestUnsupportedError}
 */
export function parseManifest(what: string, bytes: Uint8Array): ParsedManifest {
  const document = parseDocument(what, bytes);
  if (document.schemaVersion === 1) {
    throw new ManifestUnsupportedError(
      what,
      'it is of the old kind "schema 1"',
      'Pull and push it with a current Docker or skopeo, which write schema 2.',
    );
  }
  if (document.schemaVersion !== 2) throw new ManifestInvalidError(what, 'schemaVersion is not 2');
  if ((document.manifests !== undefined) === (document.layers !== undefined)) {
    // A document that is both means different images to different readers (CVE-2021-41190).
    throw new ManifestInvalidError(what, 'it has to hold either manifests or layers');
  }
  if (document.manifests !== undefined) {
    return { kind: 'index', descriptors: parseDescriptors(what, document.manifests, 'manifests') };
  }
  const config = parseDescriptor(what, document.config, 'config');
  if (config.mediaType !== OCI_CONFIG && config.mediaType !== DOCKER_CONFIG) {
    throw new ManifestUnsupportedError(
      what,
      `it is not a container image but holds ${JSON.stringify(config.mediaType)}`,
      'Check that the reference names a container image.',
    );
  }
  const layers = parseDescriptors(what, document.layers, 'layers');
  for (const { mediaType } of layers) {
    if (isLayerMediaType(mediaType)) continue;
    throw new ManifestUnsupportedError(
      what,
      `a layer is of the kind ${JSON.stringify(mediaType)}`,
      'Layers have to be tar archives, plain or compressed by gzip or zstd.',
    );
  }
  return { kind: 'manifest', manifest: { config, layers } };
}

/** @throws {ManifestInvalidError} unless it describes exactly the manifest's layers. */
export function parseConfig(what: string, bytes: Uint8Array, layerCount: number): ImageConfig {
  const document = parseDocument(what, bytes);
  const rootfs = document.rootfs as { type?: unknown; diff_ids?: unknown } | undefined;
  const diffIds = rootfs?.diff_ids ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest)) {
    throw new ManifestInvalidError(what, 'rootfs.diff_ids is not a list of digests');
  }
  if (diffIds.length !== layerCount) {
    throw new ManifestInvalidError(
      what,
      `it describes ${diffIds.length} layers, and the manifest has ${layerCount}`,
    );
  }
  for (const field of ['os', 'architecture', 'variant']) {
    if (document[field] !== undefined && typeof document[field] !== 'string') {
      throw new ManifestInvalidError(what, `${field} is not a text`);
    }
  }
  checkRunConfig(what, document.config);
  return { ...document, rootfs: { type: 'layers', diff_ids: diffIds } } as unknown as ImageConfig;
}

function checkRunConfig(what: string, config: unknown): void {
  if (config === undefined || config === null) return;
  if (typeof config !== 'object') throw new ManifestInvalidError(what, 'config is not an object');
  const fields = config as Document;
  for (const name of ['Entrypoint', 'Cmd', 'Env']) {
    const list = fields[name];
    if (list === undefined || list === null) continue;
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) continue;
    throw new ManifestInvalidError(what, `config.${name} is not a list of texts`);
  }
  for (const name of ['User', 'WorkingDir', 'StopSignal']) {
    const text = fields[name];
    if (text === undefined || text === null || typeof text === 'string') continue;
    throw new ManifestInvalidError(what, `config.${name} is not a text`);
  }
}

/** @throws {ManifestInvalidError} */
export function parseDescriptors(what: string, list: unknown, field: string): Descriptor[] {
  if (!Array.isArray(list)) throw new ManifestInvalidError(what, `${field} is not a list`);
  return list.map((item, index) => parseDescriptor(what, item, `${field}[${index}]`));
}

function parseDescriptor(what: string, value: unknown, field: string): Descriptor {
  const { mediaType, digest, size, platform, annotations } = (value ?? {}) as Document;
  if (typeof mediaType !== 'string') throw new ManifestInvalidError(what, `${field} has no mediaType`);
  if (!isDigest(digest)) throw new ManifestInvalidError(what, `${field} has no sha256 digest`);
  if (!Number.isSafeInteger(size) || (size as number) < 0) {
    throw new ManifestInvalidError(what, `${field} has no valid size`);
  }
  return {
    mediaType,
    digest,
    size: size as number,
    ...(isPlatform(platform) ? { platform: trimPlatform(platform) } : {}),
    ...(typeof annotations === 'object' && annotations !== null
      ? { annotations: annotations as Record<string, string> }
      : {}),
  };
}

function isPlatform(value: unknown): value is Platform {
  const { os, architecture, variant } = (value ?? {}) as Document;
  return (
    typeof os === 'string' &&
    typeof architecture === 'string' &&
    (variant === undefined || typeof variant === 'string')
  );
}

function trimPlatform({ os, architecture, variant }: Platform): Platform {
  return { os, architecture, ...(variant ? { variant } : {}) };
}

/** A JSON object. @throws {ManifestInvalidError} */
export function parseDocument(what: string, bytes: Uint8Array): Document {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch (error) {
    throw new ManifestInvalidError(what, 'it is not JSON', { cause: error });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ManifestInvalidError(what, 'it is not a JSON object');
  }
  return document as Document;
}
