import { createHash } from 'node:crypto';
import type { BlobReader, Descriptor, Digest, ImageSource, Platform, ResolvedImage } from '../image';
import {
  digestOf,
  MAX_CONFIG_SIZE,
  MAX_MANIFEST_SIZE,
  ManifestTooLargeError,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_MANIFEST,
  parseConfig,
  resolveImage,
  verifyDigest,
} from '../manifest';
import { isDigest } from '../reference';
import { type ArchiveFiles, readSmallFile } from './archive-files';
import { openBlobFile } from './blob';
import { type DockerArchiveImage, parseDockerManifest, selectImage } from './docker-manifest';
import { ImageArchiveError } from './errors';

/** What `docker save` writes: a tar file with manifest.json, a configuration, and layers, mostly plain. */
export class DockerArchiveSource implements ImageSource {
  readonly origin = 'archive';
  readonly #files: ArchiveFiles;
  readonly #tag: string | undefined;
  readonly #names = new Map<Digest, string>();

  constructor(files: ArchiveFiles, tag?: string) {
    this.#files = files;
    this.#tag = tag;
  }

  /** Makes the manifest that such an archive lacks. A compressed layer is read once for its digest. */
  async resolve(platform: Platform, signal?: AbortSignal): Promise<ResolvedImage> {
    const { path } = this.#files;
    const list = parseDockerManifest(path, await this.#read('manifest.json', MAX_MANIFEST_SIZE, signal));
    const image = selectImage(path, list, this.#tag);
    const configBytes = await this.#read(image.Config, MAX_CONFIG_SIZE, signal);
    const what = `the configuration ${image.Config} of ${path}`;
    const named = digestInName(image.Config);
    if (named) verifyDigest(what, configBytes, named);
    const { rootfs } = parseConfig(what, configBytes, image.Layers.length);
    const layers: Descriptor[] = [];
    for (const [index, diffId] of rootfs.diff_ids.entries()) {
      layers.push(await this.#describeLayer(image, index, diffId, signal));
    }
    const config = { mediaType: OCI_CONFIG, digest: digestOf(configBytes), size: configBytes.length };
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers };
    const name = this.#tag === undefined ? path : `${path}:${this.#tag}`;
    const store = {
      name,
      readManifest: () => Promise.reject(new ImageArchiveError(path, 'its manifest names another')),
      readConfig: async () => configBytes,
    };
    return resolveImage(store, Buffer.from(JSON.stringify(manifest)), platform, signal);
  }

  async openBlob(
    descriptor: Descriptor,
    offset: number,
    signal?: AbortSignal,
  ): Promise<BlobReader | undefined> {
    const name = this.#names.get(descriptor.digest);
    return name === undefined ? undefined : openBlobFile(this.#files, name, descriptor, offset, signal);
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  async #describeLayer(
    image: DockerArchiveImage,
    index: number,
    diffId: Digest,
    signal?: AbortSignal,
  ): Promise<Descriptor> {
    const name = image.Layers[index]!;
    const size = await this.#files.size(name);
    const reader = await this.#files.open(name, 0, signal);
    if (size === undefined || !reader) throw this.#missing(name);
    try {
      const start = (await reader.read()) ?? new Uint8Array();
      const compression = compressionOf(start);
      // A plain layer is what its diffID was computed from; of the rest, a name may say the digest. The
      // puller verifies the bytes against it in any case.
      const digest = compression === '' ? diffId : (digestInName(name) ?? (await hashRest(start, reader)));
      this.#names.set(digest, name);
      return { mediaType: `${OCI_LAYER}${compression}`, digest, size };
    } finally {
      reader.close();
    }
  }

  async #read(name: string, limit: number, signal?: AbortSignal): Promise<Uint8Array> {
    const tooLarge = () => new ManifestTooLargeError(`${name} of ${this.#files.path}`, limit);
    const bytes = await readSmallFile(this.#files, name, limit, tooLarge, signal);
    if (!bytes) throw this.#missing(name);
    return bytes;
  }

  #missing(name: string): ImageArchiveError {
    return new ImageArchiveError(this.#files.path, `${name} is missing in it`);
  }
}

/** Docker 25 and later keep their files as `blobs/sha256/HEX`, the configuration before as `HEX.json`. */
function digestInName(name: string): Digest | undefined {
  const hex = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(name)?.[1];
  const digest = `sha256:${hex}`;
  return isDigest(digest) ? digest : undefined;
}

function compressionOf(start: Uint8Array): '' | '+gzip' | '+zstd' {
  const magic = Buffer.from(start.subarray(0, 4)).toString('hex');
  if (magic.startsWith('1f8b')) return '+gzip';
  return magic === '28b52ffd' ? '+zstd' : '';
}

/** In pieces between which the event loop runs: half a megabyte takes about a millisecond. */
async function hashRest(start: Uint8Array, reader: BlobReader): Promise<Digest> {
  const hash = createHash('sha256').update(start);
  for (let piece = await reader.read(); piece; piece = await reader.read()) hash.update(piece);
  return `sha256:${hash.digest('hex')}`;
}
