import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Database,
  type DataDirectory,
  type Journal,
  type LongCall,
  throwIfAborted,
  toGaruaError,
  writeFileAtomic,
} from '../../base';
import type {
  BlobSource,
  Digest,
  DocumentCache,
  ImageSource,
  LayerMount,
  PullOptions,
  PullResult,
  StoredImage,
} from '../image';
import { DEFAULT_STRATEGY, type PullStrategy } from '../pipeline/strategy';
import { WorkerPool } from '../pipeline/worker-pool';
import type { BlobSink } from '../pull/pull-layer';
import { Puller } from '../pull/puller';
import {
  formatReference,
  hostPlatform,
  type ImageReference,
  parsePlatform,
  parseReference,
  platformRank,
} from '../reference';
import type { SourceOptions } from '../source';
import { ImageAmbiguousError, ImageNotFoundError } from './errors';
import { ImageIndex, type ImageRecord } from './image-index';
import { LayerStore } from './layer-store';

export interface ImageStoreOptions {
  dataDirectory: DataDirectory;
  database: Database;
  journal: Journal;
  /** Asked for blobs before an image's own source, in this order: the site's NAS, peers. */
  sources?: BlobSource[];
  /** Offered every verified blob, for the other hosts of the site. */
  sink?: BlobSink;
  /** Asked for manifests and configurations before a registry is. */
  documents?: DocumentCache;
  /** For measuring what each technique of the puller brings. */
  strategy?: Partial<PullStrategy>;
  /** Where images come from; the default knows registries and archives. */
  openSource?: (reference: ImageReference, options: PullOptions) => Promise<ImageSource>;
  /** First wait after a failed download attempt, in milliseconds; doubles each time. Default 500. */
  backoffMs?: number;
}

export interface PruneOptions extends LongCall {
  /** References, manifest digests or chain IDs that are in use. */
  keep: Iterable<string>;
}

export interface PruneSummary {
  /** References of the images removed. */
  images: string[];
  /** Chain IDs of the layers removed. */
  layers: Digest[];
  /** Unpacked bytes of those layers, and compressed bytes kept for pulls that never went on. */
  bytesFreed: number;
}

/** The images of this host, and the way new ones get here. */
export class ImageStore {
  readonly #index: ImageIndex;
  readonly #layers: LayerStore;
  readonly #pool = new WorkerPool();
  readonly #puller: Puller;
  readonly #imageFolder: string;

  private constructor(options: ImageStoreOptions) {
    const { dataDirectory, database, journal } = options;
    const openSource =
      options.openSource ??
      ((reference: ImageReference, pullOptions: PullOptions) =>
        openDefaultSource(reference, {
          ...pullOptions,
          dataDirectory: dataDirectory.path,
          documents: options.documents,
        }));
    this.#index = new ImageIndex(database);
    this.#layers = new LayerStore(dataDirectory, this.#index, journal, this.#pool);
    this.#imageFolder = dataDirectory.join('images');
    this.#puller = new Puller({
      store: this.#layers,
      pool: this.#pool,
      sources: options.sources ?? [],
      sink: options.sink,
      strategy: { ...DEFAULT_STRATEGY, ...options.strategy },
      backoffMs: options.backoffMs ?? 500,
      openSource: (ref, pullOptions) => openSource(parseReference(ref), pullOptions),
      saveImage: (record) => this.#saveImage(record),
    });
  }

  /** Opens the store, after finishing or undoing what a crash left behind. */
  static async open(options: ImageStoreOptions): Promise<ImageStore> {
    const store = new ImageStore(options);
    await store.#layers.recover();
    await store.#recoverImages();
    return store;
  }

  /**
   * Makes the image be in the store, by the policy in the options.
   *
   * @throws {ImageNotFoundError} with policy `never`; all errors of references, sources and downloads;
   *   {DigestMismatchError} {DiskFullError} {AbortedError}
   */
  async pull(ref: string, options: PullOptions = {}): Promise<PullResult> {
    const canonical = formatReference(parseReference(ref));
    const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform);
    throwIfAborted(options.signal, `the pull of ${canonical}`);
    if (options.policy === 'missing' || options.policy === 'never') {
      const stored = this.#index.image(canonical);
      if (stored && platformRank(platform, stored.platform) !== undefined) return this.#asResult(stored);
      if (options.policy === 'never') throw new ImageNotFoundError(canonical);
    }
    return this.#puller.pull({ ref: canonical, platform, options });
  }

  /** All images, by reference. */
  images(): StoredImage[] {
    return this.#index.images().map((record) => this.#index.toStoredImage(record));
  }

  /**
   * An image by its reference, its manifest digest, or a prefix of the digest's hexadecimal digits.
   *
   * @throws {ImageNotFoundError} {ImageAmbiguousError}
   */
  get(ref: string): StoredImage {
    return this.#index.toStoredImage(this.#find(ref));
  }

  /** What to mount for an image's layers, in the same order. @throws {ImageNotFoundError} */
  mounts(chainIds: Digest[]): LayerMount[] {
    return chainIds.map((chainId) => {
      if (!this.#layers.get(chainId)) throw new ImageNotFoundError(`with the layer ${chainId}`);
      return this.#layers.mount(chainId);
    });
  }

  /** Forgets an image. Its layers stay until `prune`. @throws {ImageNotFoundError} */
  async remove(ref: string): Promise<void> {
    const { ref: canonical } = this.#find(ref);
    this.#index.deleteImage(canonical);
    await rm(this.#imageFile(canonical), { force: true });
  }

  /** Removes images that are not to be kept, then layers and leftovers that nothing uses. */
  async prune(options: PruneOptions): Promise<PruneSummary> {
    throwIfAborted(options.signal, 'prune');
    const keep = new Set(options.keep);
    // First, since on a full disk the index needs room to forget something.
    let bytesFreed = await this.#layers.removeBlobs(this.#puller.blobsInUse);
    const used = new Set<string>([...keep, ...this.#puller.pinned.keys()]);
    const images: string[] = [];
    for (const { ref, digest, chainIds } of this.#index.images()) {
      if (keep.has(ref) || keep.has(digest)) for (const chainId of chainIds) used.add(chainId);
      else images.push(ref);
    }
    const layers = this.#index.layers().filter((layer) => !used.has(layer.chainId));
    const chainIds = layers.map((layer) => layer.chainId);
    const forgotten = this.#forget(images, chainIds);
    const removal = this.#layers.remove(chainIds);
    await Promise.all(images.map((ref) => rm(this.#imageFile(ref), { force: true })));
    await removal;
    if (!forgotten) this.#index.forget(images, chainIds);
    for (const layer of layers) bytesFreed += layer.unpacked;
    return { images, layers: chainIds, bytesFreed };
  }

  /** Waits for pulls that others still need, then ends all threads. */
  async close(): Promise<void> {
    await this.#puller.settled();
    await this.#layers.settled();
    await this.#pool.close();
  }

  #find(ref: string): ImageRecord {
    if (/^(sha256:)?[0-9a-f]{6,64}$/.test(ref)) {
      const prefix = ref.startsWith('sha256:') ? ref : `sha256:${ref}`;
      const found = this.#index.imagesByDigest(prefix);
      const digests = [...new Set(found.map((record) => record.digest))];
      if (digests.length > 1) throw new ImageAmbiguousError(ref, digests);
      if (found[0]) return found[0];
      if (ref.startsWith('sha256:')) throw new ImageNotFoundError(ref);
    }
    const canonical = formatReference(parseReference(ref));
    const record = this.#index.image(canonical);
    if (!record) throw new ImageNotFoundError(canonical);
    return record;
  }

  #asResult(record: ImageRecord): PullResult {
    const layers = record.chainIds.map((chainId) => {
      const { digest, diffId, unpacked } = this.#layers.get(chainId)!;
      return {
        digest,
        diffId,
        chainId,
        source: 'store' as const,
        bytes: 0,
        resumed: 0,
        unpacked,
        seconds: 0,
      };
    });
    return {
      ref: record.ref,
      digest: record.digest,
      chainIds: record.chainIds,
      manifestSource: 'store',
      registryRequests: 0,
      warnings: [],
      bytesDownloaded: 0,
      bytesUnpacked: layers.reduce((total, layer) => total + layer.unpacked, 0),
      seconds: 0,
      layers,
    };
  }

  async #saveImage(record: ImageRecord): Promise<void> {
    await writeFileAtomic(this.#imageFile(record.ref), JSON.stringify(record));
    this.#index.putImage(record);
  }

  /** False when the disk is too full even for that: then the files have to go first. */
  #forget(refs: string[], chainIds: Digest[]): boolean {
    try {
      this.#index.forget(refs, chainIds);
      return true;
    } catch (error) {
      if (toGaruaError(error).code !== 'ERR_DISK_FULL') throw error;
      return false;
    }
  }

  /** Makes the index say what is on disk; an image that lacks a layer is no image. */
  async #recoverImages(): Promise<void> {
    await mkdir(this.#imageFolder, { recursive: true });
    for (const name of await readdir(this.#imageFolder)) {
      const path = join(this.#imageFolder, name);
      const record = await readImage(path);
      if (!record || path !== this.#imageFile(record.ref)) await rm(path, { force: true });
      else if (!this.#index.image(record.ref)) this.#index.putImage(record);
    }
    for (const { ref, chainIds } of this.#index.images()) {
      if (chainIds.every((chainId) => this.#layers.get(chainId))) continue;
      this.#index.deleteImage(ref);
      await rm(this.#imageFile(ref), { force: true });
    }
  }

  #imageFile(ref: string): string {
    return join(this.#imageFolder, `${createHash('sha256').update(ref).digest('hex')}.json`);
  }
}

async function readImage(path: string): Promise<ImageRecord | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ImageRecord;
  } catch {
    return undefined;
  }
}

/** Loaded at the first pull: other commands do not need the registry client. */
async function openDefaultSource(reference: ImageReference, options: SourceOptions): Promise<ImageSource> {
  const { openImageSource } = await import('../source/index.js');
  return openImageSource(reference, options);
}
