import type { BlobReader, Descriptor, Digest, ImageSource, Platform, ResolvedImage } from '../image';
import {
  ImageUnknownError,
  MAX_CONFIG_SIZE,
  MAX_MANIFEST_SIZE,
  ManifestTooLargeError,
  parseDescriptors,
  parseDocument,
  resolveImage,
  verifyDigest,
} from '../manifest';
import { choosePlatform } from '../reference';
import { type ArchiveFiles, readSmallFile } from './archive-files';
import { openBlobFile } from './blob';
import { ImageArchiveError } from './errors';

const TAG = 'org.opencontainers.image.ref.name';
/** What containerd adds: the full name, where the tag alone would not be unique. */
const FULL_NAME = 'io.containerd.image.name';

/** An OCI image layout (image-spec, image-layout.md), in a folder or a tar file. */
export class OciLayoutSource implements ImageSource {
  readonly origin = 'archive';
  readonly #files: ArchiveFiles;
  readonly #tag: string | undefined;

  constructor(files: ArchiveFiles, tag?: string) {
    this.#files = files;
    this.#tag = tag;
  }

  async resolve(platform: Platform, signal?: AbortSignal): Promise<ResolvedImage> {
    const name = this.#tag === undefined ? this.#files.path : `${this.#files.path}:${this.#tag}`;
    const top = this.#select(name, await this.#index(signal), platform);
    const read = (descriptor: Descriptor, limit: number) => this.#read(descriptor, limit, signal);
    const bytes = await read(top, MAX_MANIFEST_SIZE);
    verifyDigest(`the manifest of ${name}`, bytes, top.digest);
    return resolveImage(
      {
        name,
        readManifest: (descriptor) => read(descriptor, MAX_MANIFEST_SIZE),
        readConfig: (descriptor) => read(descriptor, MAX_CONFIG_SIZE),
      },
      bytes,
      platform,
      signal,
    );
  }

  openBlob(descriptor: Descriptor, offset: number, signal?: AbortSignal): Promise<BlobReader | undefined> {
    return openBlobFile(this.#files, blobName(descriptor.digest), descriptor, offset, signal);
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  async #index(signal?: AbortSignal): Promise<Descriptor[]> {
    const { path } = this.#files;
    const what = `index.json of ${path}`;
    const tooLarge = () => new ManifestTooLargeError(what, MAX_MANIFEST_SIZE);
    const bytes = await readSmallFile(this.#files, 'index.json', MAX_MANIFEST_SIZE, tooLarge, signal);
    if (!bytes) {
      const hint =
        'An OCI image layout has a file index.json; for what docker save writes, use docker-archive.';
      throw new ImageArchiveError(path, 'it has no index.json', hint);
    }
    return parseDescriptors(what, parseDocument(what, bytes).manifests, 'manifests');
  }

  #select(name: string, all: Descriptor[], platform: Platform): Descriptor {
    const tag = this.#tag;
    let candidates = all;
    if (tag !== undefined) {
      candidates = all.filter(({ annotations }) => annotations?.[TAG] === tag);
      if (candidates.length === 0) {
        candidates = all.filter(({ annotations }) => annotations?.[FULL_NAME] === tag);
      }
    } else if (all.length > 1) {
      const latest = all.filter(({ annotations }) => annotations?.[TAG] === 'latest');
      if (latest.length > 0) candidates = latest;
    }
    const [first, ...others] = candidates;
    const tags = all.flatMap(({ annotations }) => annotations?.[TAG] ?? []);
    const list = tags.length > 0 ? `It has the tags ${tags.join(', ')}.` : 'Its images have no tags.';
    if (!first) throw new ImageUnknownError(`${name} was not found in the index of the layout`, list);
    if (others.length === 0) return first;
    // One name for several platforms makes the list itself an index.
    const sameName = others.every(({ annotations }) => annotations?.[TAG] === first.annotations?.[TAG]);
    if (sameName && candidates.every((candidate) => candidate.platform)) {
      return choosePlatform(name, candidates, platform);
    }
    throw new ImageUnknownError(`${name} holds several images`, `Name one by its tag. ${list}`);
  }

  async #read({ digest }: Descriptor, limit: number, signal?: AbortSignal): Promise<Uint8Array> {
    const tooLarge = () => new ManifestTooLargeError(`blob ${digest} of ${this.#files.path}`, limit);
    const bytes = await readSmallFile(this.#files, blobName(digest), limit, tooLarge, signal);
    if (bytes) return bytes;
    throw new ImageArchiveError(this.#files.path, `the blob ${digest} is missing`);
  }
}

/** The digest has been checked: it cannot leave the folder. */
function blobName(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}
