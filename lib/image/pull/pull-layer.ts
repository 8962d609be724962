import { rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AbortedError, GaruaError, throwIfAborted, toGaruaError } from '../../base';
import type { BlobSource, Descriptor, Digest, LayerOrigin, PulledLayer } from '../image';
import type { LayerFlow, LayerPipeline, UnpackedLayer } from '../pipeline/layer-pipeline';
import { RingBrokenError } from '../pipeline/ring';
import type { LayerStore } from '../store/layer-store';
import { BlobDownload } from './download';
import { DigestMismatchError } from './errors';
import type { LayerWork } from './layer-task';

/** Takes verified blobs for others, such as the hosts of the same site. */
export interface BlobSink {
  /** `file` holds the whole blob and is deleted when this resolves. A failure does not hurt the pull. */
  keep(descriptor: Descriptor, file: string): Promise<void>;
}

export interface LayerPull {
  descriptor: Descriptor;
  diffId: Digest;
  chainId: Digest;
  /** Chain IDs of the layers below, lowest first. */
  lower: Digest[];
  /** The layer right below; this one is committed only after it. */
  below: Promise<unknown>;
  /** Asked in this order; the last one is the image's own. */
  sources: BlobSource[];
  pipeline: LayerPipeline;
  store: LayerStore;
  /** Blob files that a pull writes to at the moment. */
  blobsInUse: Set<string>;
  sink?: BlobSink | undefined;
  /** Whether compressed bytes are kept for a resume. */
  resumable: boolean;
  backoffMs: number;
}

/** Fetches, unpacks, verifies and commits one layer. */
export async function pullLayer(pull: LayerPull, work: LayerWork): Promise<PulledLayer> {
  const { descriptor, store, blobsInUse } = pull;
  const blobFile = store.blobFile(descriptor.digest);
  // The same blob may be on its way for another layer; then only that one keeps its bytes.
  const mine = pull.resumable && !blobsInUse.has(blobFile);
  if (mine) blobsInUse.add(blobFile);
  try {
    const keep = mine && (await hasRoom(pull, blobFile));
    return await new LayerAttempts(pull, work, keep ? blobFile : undefined).run();
  } catch (error) {
    await store.discard(pull.chainId);
    throw work.signal.aborted
      ? new AbortedError('the pull', { cause: error })
      : toGaruaError(error, 'the pull');
  } finally {
    if (mine) blobsInUse.delete(blobFile);
  }
}

/** Free space, in sizes of the blob, below which the layer needs all of it: the blob is not kept then. */
const ROOM_TO_KEEP = 5;

async function hasRoom({ descriptor }: LayerPull, blobFile: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(dirname(blobFile));
  if (await sizeOf(blobFile)) return true;
  return bavail * bsize >= descriptor.size * ROOM_TO_KEEP;
}

/** 0 for a file that is not there. */
async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

class LayerAttempts {
  readonly #started = performance.now();
  #received = 0;
  #fetched = 0;
  /** The blob's digest was right, so that fetching it again cannot help. */
  #blobVerified = false;
  #usedShortCut = false;

  constructor(
    private readonly pull: LayerPull,
    private readonly work: LayerWork,
    private readonly blobFile: string | undefined,
  ) {}

  async run(): Promise<PulledLayer> {
    const resumed = await this.#resumableBytes();
    try {
      return await this.#attempt(resumed, this.pull.sources);
    } catch (error) {
      const suspect = resumed > 0 || this.#usedShortCut;
      if (!isContentError(error) || this.#blobVerified || !suspect) throw error;
    }
    // The kept bytes or another source may be to blame: once more, and all of it from the image's own.
    this.work.onBytes(-this.#received);
    this.#received = 0;
    return this.#attempt(0, this.pull.sources.slice(-1));
  }

  async #attempt(resume: number, sources: BlobSource[]): Promise<PulledLayer> {
    try {
      return await this.#fetchAndCommit(resume, sources);
    } catch (error) {
      // Wrong bytes are no start for a resume, and on a full disk room counts more than one.
      const useless = isContentError(error) || (error as GaruaError).code === 'ERR_DISK_FULL';
      if (useless) await this.#dropBlob();
      throw error;
    }
  }

  async #fetchAndCommit(resume: number, sources: BlobSource[]): Promise<PulledLayer> {
    const { descriptor, diffId, chainId, store } = this.pull;
    throwIfAborted(this.work.signal, 'the pull');
    const directory = await store.prepare(chainId);
    const flow = await this.pull.pipeline.start({
      directory,
      lowerFolders: store.lowerFolders(this.pull.lower),
      save: this.blobFile ? { file: this.blobFile, offset: resume } : undefined,
      blobFile: `${directory}.blob`,
      tarFile: `${directory}.tar`,
    });
    const { origin, layer } = await this.#feed(flow, resume, sources);
    const got = `sha256:${layer.sha256}`;
    if (got !== diffId) throw new DigestMismatchError('an unpacked layer', diffId, got);
    if (this.blobFile) {
      await this.pull.sink?.keep(descriptor, this.blobFile).catch(() => {});
      // Before the sync, so that bytes nobody needs any more are not written to a slow disk.
      await this.#dropBlob();
    }
    this.work.onUnpacked();
    await this.pull.below;
    throwIfAborted(this.work.signal, 'the pull');
    const record = {
      chainId,
      diffId,
      digest: descriptor.digest,
      format: 'directory' as const,
      compressed: descriptor.size,
      unpacked: layer.bytes,
      createdAt: Date.now(),
    };
    await store.commit(record);
    return {
      digest: descriptor.digest,
      diffId,
      chainId,
      source: origin ?? sources.at(-1)!.origin,
      bytes: this.#fetched,
      resumed: resume,
      unpacked: layer.bytes,
      seconds: (performance.now() - this.#started) / 1000,
    };
  }

  /** Runs the download and the stages side by side; the first true cause is the one thrown. */
  async #feed(
    flow: LayerFlow,
    resume: number,
    sources: BlobSource[],
  ): Promise<{ origin: LayerOrigin | undefined; layer: UnpackedLayer }> {
    const { signal } = this.work;
    const stopped = new AbortController();
    let draining = false;
    const stages = flow.finished.catch((error: unknown) => {
      // Whether the blob or the image is to blame is only known once all of the blob was hashed.
      if (isContentError(error)) draining = true;
      else stopped.abort();
      throw error;
    });
    stages.catch(() => {});
    const onAbort = () => flow.fail();
    signal.addEventListener('abort', onAbort, { once: true });
    const download = new BlobDownload({
      descriptor: this.pull.descriptor,
      sources,
      signal: AbortSignal.any([signal, stopped.signal]),
      backoffMs: this.pull.backoffMs,
      onBytes: (count) => {
        this.#received += count;
        this.work.onBytes(count);
      },
      write: async (chunk) => {
        if (draining) return;
        try {
          await flow.write(chunk);
        } catch (error) {
          await stages.catch(() => {});
          if (!draining) throw error;
        }
      },
    });
    const feeding = this.#download(download, resume).then(
      () => {
        flow.end();
        this.work.onDownloaded();
      },
      (error) => {
        flow.fail();
        throw error;
      },
    );
    const [fed, unpacked] = await Promise.allSettled([feeding, stages]);
    signal.removeEventListener('abort', onAbort);
    this.#fetched += download.fetched;
    throwIfAborted(signal, 'the pull');
    this.#usedShortCut ||= download.origin !== undefined && download.origin !== sources.at(-1)!.origin;
    if (fed.status === 'rejected' && isContentError(fed.reason)) throw fed.reason;
    if (unpacked.status === 'rejected' && !(unpacked.reason instanceof RingBrokenError)) {
      throw unpacked.reason;
    }
    if (fed.status === 'rejected') throw fed.reason;
    if (unpacked.status === 'rejected') throw unpacked.reason;
    return { origin: download.origin, layer: unpacked.value };
  }

  async #download(download: BlobDownload, resume: number): Promise<void> {
    if (resume > 0) await download.replay(this.blobFile!, resume);
    await download.fetch();
    this.#blobVerified = true;
  }

  async #resumableBytes(): Promise<number> {
    if (!this.blobFile) return 0;
    const size = await sizeOf(this.blobFile);
    return size <= this.pull.descriptor.size ? size : 0;
  }

  async #dropBlob(): Promise<void> {
    if (this.blobFile) await rm(this.blobFile, { force: true });
  }
}

const CONTENT_ERRORS = new Set([
  'ERR_IMAGE_DIGEST_MISMATCH',
  'ERR_IMAGE_SIZE_MISMATCH',
  'ERR_IMAGE_BLOB_TOO_LONG',
  'ERR_IMAGE_BLOB_TOO_SHORT',
]);

/** What arrived is not what it should be, as opposed to: it did not arrive, or could not be stored. */
function isContentError(error: unknown): boolean {
  if (!(error instanceof GaruaError)) return false;
  return CONTENT_ERRORS.has(error.code) || error.code.startsWith('ERR_LAYER_');
}
