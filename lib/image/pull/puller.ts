import { createHash } from 'node:crypto';
import { AbortedError, throwIfAborted, toGaruaError } from '../../base';
import type {
  BlobSource,
  Digest,
  ImageSource,
  LayerOrigin,
  Platform,
  PulledLayer,
  PullOptions,
  PullResult,
  ResolvedImage,
} from '../image';
import { LayerPipeline } from '../pipeline/layer-pipeline';
import type { PullStrategy } from '../pipeline/strategy';
import type { WorkerPool } from '../pipeline/worker-pool';
import type { ImageRecord } from '../store/image-index';
import type { LayerStore } from '../store/layer-store';
import { type LayerShare, LayerTasks, type LayerWork } from './layer-task';
import { Limiter } from './limiter';
import { type BlobSink, pullLayer } from './pull-layer';
import { PullProgress } from './pull-progress';

/** Each pull under way takes two or three threads and up to 10 MB of rings. */
const PULLS_AT_ONCE = 3;

export interface PullerParts {
  store: LayerStore;
  pool: WorkerPool;
  /** Asked for blobs before the image's own source, in this order. */
  sources: BlobSource[];
  sink?: BlobSink | undefined;
  strategy: PullStrategy;
  /** First wait after a failed attempt, in milliseconds. */
  backoffMs: number;
  openSource(ref: string, options: PullOptions): Promise<ImageSource>;
  /** Records an image all of whose layers are in the store. */
  saveImage(record: ImageRecord): Promise<void>;
}

export interface PullRequest {
  /** Canonical reference. */
  ref: string;
  platform: Platform;
  options: PullOptions;
}

interface WantedLayer {
  descriptor: ResolvedImage['manifest']['layers'][number];
  diffId: Digest;
  chainId: Digest;
}

/** Brings images into the store, layer after layer. */
export class Puller {
  readonly #tasks = new LayerTasks();
  readonly #limiter = new Limiter(PULLS_AT_ONCE);
  readonly #running = new Set<Promise<unknown>>();
  readonly #pins = new Map<Digest, number>();
  /** Blob files that a pull writes to at the moment. */
  readonly blobsInUse = new Set<string>();

  constructor(private readonly parts: PullerParts) {}

  /** Layers that pulls under way count on; they must not be removed. */
  get pinned(): ReadonlyMap<Digest, number> {
    return this.#pins;
  }

  async pull(request: PullRequest): Promise<PullResult> {
    const { signal, onProgress } = request.options;
    const started = performance.now();
    const progress = new PullProgress(onProgress);
    const run = new PullRun(this.parts, this.#tasks, this.blobsInUse, request, progress);
    this.parts.pool.warm(LayerPipeline.threads(this.parts.strategy));
    const work = this.#limiter.run(async () => {
      throwIfAborted(signal, `the pull of ${request.ref}`);
      const image = await run.resolve();
      const chainIds = run.wanted.map((layer) => layer.chainId);
      for (const chainId of chainIds) this.#pins.set(chainId, (this.#pins.get(chainId) ?? 0) + 1);
      try {
        const layers = await run.pullLayers();
        throwIfAborted(signal, `the pull of ${request.ref}`);
        await this.parts.saveImage({
          ref: request.ref,
          digest: image.digest,
          platform: platformOf(image, request.platform),
          config: image.config,
          manifest: image.manifest,
          chainIds,
          pulledAt: Date.now(),
        });
        await run.kept();
        return { image, chainIds, layers };
      } finally {
        for (const chainId of chainIds) this.#unpin(chainId);
      }
    });
    // Layers that others wait for keep this pull's source and threads busy after it has ended itself.
    const all = work.catch(() => {}).then(() => run.close());
    this.#running.add(all);
    void all.finally(() => this.#running.delete(all));
    try {
      const { image, chainIds, layers } = await work;
      return {
        ref: request.ref,
        digest: image.digest,
        chainIds,
        manifestSource: image.origin ?? run.origin,
        registryRequests: run.requests,
        warnings: image.warnings ?? [],
        bytesDownloaded: sum(layers.map((layer) => layer.bytes)),
        bytesUnpacked: sum(layers.map((layer) => layer.unpacked)),
        seconds: (performance.now() - started) / 1000,
        layers,
      };
    } catch (error) {
      if (signal?.aborted) throw new AbortedError(`the pull of ${request.ref}`, { cause: error });
      throw toGaruaError(error, `the pull of ${request.ref}`);
    }
  }

  /** Resolves when no pull has anything under way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  #unpin(chainId: Digest): void {
    const count = this.#pins.get(chainId)! - 1;
    if (count === 0) this.#pins.delete(chainId);
    else this.#pins.set(chainId, count);
  }
}

/** One pull of one image. */
class PullRun {
  readonly #pipeline: LayerPipeline;
  readonly #shares: LayerShare[] = [];
  #source: ImageSource | undefined;
  #stopped = false;
  wanted: WantedLayer[] = [];

  constructor(
    private readonly parts: PullerParts,
    private readonly tasks: LayerTasks,
    private readonly blobsInUse: Set<string>,
    private readonly request: PullRequest,
    private readonly progress: PullProgress,
  ) {
    this.#pipeline = new LayerPipeline(parts.pool, parts.strategy);
  }

  async resolve(): Promise<ResolvedImage> {
    const { ref, options, platform } = this.request;
    this.#source = await this.parts.openSource(ref, options);
    const image = await this.#source.resolve(platform, options.signal);
    this.wanted = wantedLayers(image);
    return image;
  }

  /** Where the image comes from when nothing of it is near. */
  get origin(): LayerOrigin {
    return this.#source!.origin;
  }

  get requests(): number {
    return this.#source?.requests ?? 0;
  }

  async kept(): Promise<void> {
    await this.#source?.kept?.();
  }

  async pullLayers(): Promise<PulledLayer[]> {
    const { signal } = this.request.options;
    this.progress.start(sum(this.wanted.map((layer) => layer.descriptor.size)));
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(new AbortedError(`the pull of ${this.request.ref}`));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([aborted.promise, this.#pullAll()]);
    } catch (error) {
      this.#stopped = true;
      await Promise.all(this.#shares.map((share) => share.release()));
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Frees what the pull held, once no layer needs it any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#shares.filter((share) => share.first).map((share) => share.result));
    this.#pipeline.close();
    await this.#source?.close();
  }

  async #pullAll(): Promise<PulledLayer[]> {
    const results: Promise<PulledLayer>[] = [];
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    for (const [index, layer] of this.wanted.entries()) {
      // Whoever stopped the pull has released all shares; there must come no more.
      if (this.#stopped) break;
      const result = this.#pullOne(layer, index, results[index - 1]);
      result.catch(failed.reject);
      results.push(result);
      // One download at a time, but the next one starts while this layer is still being unpacked.
      if (this.parts.strategy.layers === 'parallel') continue;
      await Promise.race([failed.promise, this.#shares.at(-1)?.downloaded]);
    }
    await Promise.race([failed.promise, Promise.all(this.#shares.map((share) => share.downloaded))]);
    this.progress.phase('extracting');
    await Promise.race([failed.promise, Promise.all(this.#shares.map((share) => share.unpacked))]);
    this.progress.phase('committing');
    return Promise.all(results);
  }

  async #pullOne(layer: WantedLayer, index: number, below?: Promise<unknown>): Promise<PulledLayer> {
    const started = performance.now();
    const { store, strategy, sources, sink, backoffMs } = this.parts;
    const stored = this.#stored(layer);
    if (stored) {
      this.progress.add(layer.descriptor.size);
      return stored;
    }
    const work = async (work: LayerWork) => {
      // A pull that was cancelled may have committed the layer while this one waited for its end.
      const meanwhile = this.#stored(layer);
      if (meanwhile) {
        work.onBytes(layer.descriptor.size);
        work.onDownloaded();
        work.onUnpacked();
        return meanwhile;
      }
      return pullLayer(
        {
          ...layer,
          lower: this.wanted.slice(0, index).map(({ chainId }) => chainId),
          below: below ?? Promise.resolve(),
          sources: [...sources, this.#source!],
          pipeline: this.#pipeline,
          store,
          blobsInUse: this.blobsInUse,
          sink,
          resumable: strategy.pipelined && strategy.layers === 'sequential',
          backoffMs,
        },
        work,
      );
    };
    const share = this.tasks.join(layer.chainId, (bytes) => this.progress.add(bytes), work);
    this.#shares.push(share);
    const result = await share.result;
    if (share.first) return result;
    // Those bytes are in the account of the pull that fetched them.
    return { ...result, bytes: 0, resumed: 0, seconds: (performance.now() - started) / 1000 };
  }

  #stored({ descriptor, diffId, chainId }: WantedLayer): PulledLayer | undefined {
    const stored = this.parts.store.get(chainId);
    if (!stored) return undefined;
    const { digest } = descriptor;
    return { digest, diffId, chainId, source: 'store', ...NOTHING_FETCHED, unpacked: stored.unpacked };
  }
}

const NOTHING_FETCHED = { bytes: 0, resumed: 0, seconds: 0 };

/** What the image says it is for; old tools do not say. */
function platformOf({ config }: ResolvedImage, wanted: Platform): Platform {
  const { os, architecture, variant } = config;
  if (!os || !architecture) return wanted;
  return variant ? { os, architecture, variant } : { os, architecture };
}

function wantedLayers({ manifest, config }: ResolvedImage): WantedLayer[] {
  let chainId: Digest | undefined;
  return manifest.layers.map((descriptor, index) => {
    const diffId = config.rootfs.diff_ids[index]!;
    chainId = chainId === undefined ? diffId : nextChainId(chainId, diffId);
    return { descriptor, diffId, chainId };
  });
}

/** OCI image-spec, config.md, "Layer ChainID". */
function nextChainId(below: Digest, diffId: Digest): Digest {
  return `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
