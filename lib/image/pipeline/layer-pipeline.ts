import { rm } from 'node:fs/promises';
import type { GaruaError } from '../../base';
import type { JobResult, JobSource, PumpJob } from './job';
import { Ring, RingBrokenError } from './ring';
import { hashesOnOwnThread, type PullStrategy } from './strategy';
import type { PipelineWorker, WorkerPool } from './worker-pool';

const COMPRESSED_RING = 1 << 20;
const TAR_RING = 4 << 20;

/** How many layers may be on their way at once: the one being unpacked and the next one. */
const LAYERS_IN_FLIGHT = 2;

export interface UnpackedLayer {
  /** SHA-256 of the tar, hexadecimal. */
  sha256: string;
  /** Bytes of the tar. */
  bytes: number;
}

/** Where a layer's bytes go, on disk. */
export interface LayerTarget {
  /** The folder to unpack into; made by the pipeline. */
  directory: string;
  /** The folders of the layers below, uppermost first. */
  lowerFolders: string[];
  /** File that keeps the compressed bytes for a resume; `offset` of them are there. */
  save?: { file: string; offset: number } | undefined;
  /** For strategies that go through files: the names of the blob and the tar meanwhile. */
  blobFile: string;
  tarFile: string;
}

/** One layer on its way from the network to the disk. */
export interface LayerFlow {
  /** Resolves when there is room for more. @throws {RingBrokenError} when a stage failed */
  write(chunk: Uint8Array): Promise<void>;
  /** All bytes have been written. */
  end(): void;
  /** Stops all stages; `finished` then rejects. */
  fail(): void;
  /** All stages are done. Rejects with the error of the stage that failed first. */
  finished: Promise<UnpackedLayer>;
}

interface Rings {
  compressed: Ring;
  tar: Ring;
}

/** The threads and rings of one pull. Layers flow through in the order they were started. */
export class LayerPipeline {
  readonly #workers: PipelineWorker[] = [];
  readonly #free: Rings[] = [];
  readonly #waiting: ((rings: Rings) => void)[] = [];
  readonly #hashReader: boolean;
  #made = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly pool: WorkerPool,
    private readonly strategy: PullStrategy,
  ) {
    this.#hashReader = hashesOnOwnThread();
  }

  /** How many threads `start` will ask the pool for. */
  static threads(strategy: PullStrategy): number {
    if (strategy.threads === 'one' || !strategy.pipelined) return 1;
    return hashesOnOwnThread() ? 3 : 2;
  }

  /** Waits until there is room for one more layer, then sets its stages up. */
  async start(target: LayerTarget): Promise<LayerFlow> {
    const rings = await this.#takeRings();
    const toFile = this.strategy.layers === 'parallel' || !this.strategy.pipelined;
    const source: JobSource = { ring: rings.compressed.handle, reader: 0 };
    const stages = toFile ? this.#throughFiles(target, source, rings) : this.#unpack(source, target, rings);
    const finished = stages.then(
      (layer) => {
        this.#giveRingsBack(rings);
        return layer;
      },
      (error) => {
        // A writer may still be about to look at a failed ring, so that one is never used again.
        this.#giveRingsBack(this.#makeRings());
        throw error;
      },
    );
    // The caller may only look after it is done with writing.
    finished.catch(() => {});
    return {
      write: (chunk) => rings.compressed.writeAsync(chunk),
      end: () => rings.compressed.end(),
      fail: () => failAll(rings),
      finished,
    };
  }

  /** Gives the threads back. Only when no layer is in flight. */
  close(): void {
    for (const worker of this.#workers.splice(0)) this.pool.giveBack(worker);
  }

  async #unpack(
    source: JobSource,
    { save, directory, lowerFolders }: Omit<LayerTarget, 'blobFile' | 'tarFile'>,
    rings: Rings,
  ): Promise<UnpackedLayer> {
    const extract = { extract: directory, lowerFolders };
    if (this.strategy.threads === 'one') {
      const sinks: PumpJob['sinks'] = [extract, { sha256: true }];
      const job: PumpJob = { kind: 'pump', source, save, decompress: true, sinks };
      return unpacked(await settleTogether([this.#worker(0).run(job)], rings));
    }
    const tar = rings.tar.handle;
    const stage = (reader: number, sinks: PumpJob['sinks']): PumpJob => ({
      kind: 'pump',
      source: { ring: tar, reader },
      decompress: false,
      sinks,
    });
    const inflate: PumpJob = { kind: 'pump', source, save, decompress: true, sinks: [{ ring: tar }] };
    if (!this.#hashReader) inflate.sinks.push({ sha256: true });
    const jobs = [this.#worker(0).run(inflate), this.#worker(1).run(stage(0, [extract]))];
    if (this.#hashReader) jobs.push(this.#worker(2).run(stage(1, [{ sha256: true }])));
    return unpacked(await settleTogether(jobs, rings));
  }

  /** The slow ways that the benchmark compares with. */
  async #throughFiles(target: LayerTarget, source: JobSource, rings: Rings): Promise<UnpackedLayer> {
    const { blobFile, tarFile, directory, lowerFolders } = target;
    // Downloads get threads of their own, so that they can run at the same time.
    const run = (job: Omit<PumpJob, 'kind'>) =>
      settleTogether([this.pool.run({ kind: 'pump', ...job })], rings);
    try {
      await run({ source, decompress: false, sinks: [{ file: blobFile }] });
      if (this.strategy.pipelined) {
        return await this.#unpack({ file: blobFile }, { directory, lowerFolders }, rings);
      }
      return await this.#inTurn(async () => {
        await run({ source: { file: blobFile }, decompress: true, sinks: [{ file: tarFile }] });
        const sinks: PumpJob['sinks'] = [{ extract: directory, lowerFolders }, { sha256: true }];
        return unpacked(await run({ source: { file: tarFile }, decompress: false, sinks }));
      });
    } finally {
      await Promise.all([blobFile, tarFile].map((file) => rm(file, { force: true })));
    }
  }

  /** Runs one after another what has no worker of its own to queue at. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  #worker(index: number): PipelineWorker {
    let worker = this.#workers[index];
    if (!worker?.alive || worker.worn) {
      if (worker) this.pool.giveBack(worker);
      worker = this.pool.take();
      this.#workers[index] = worker;
    }
    return worker;
  }

  #takeRings(): Rings | Promise<Rings> {
    const rings = this.#free.pop();
    if (rings) return rings;
    const limit = this.strategy.layers === 'parallel' ? Number.POSITIVE_INFINITY : LAYERS_IN_FLIGHT;
    if (this.#made < limit) {
      this.#made += 1;
      return this.#makeRings();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #makeRings(): Rings {
    return {
      compressed: Ring.create(COMPRESSED_RING),
      tar: Ring.create(TAR_RING, this.#hashReader ? 2 : 1),
    };
  }

  #giveRingsBack(rings: Rings): void {
    rings.compressed.reset();
    rings.tar.reset();
    const next = this.#waiting.shift();
    if (next) next(rings);
    else this.#free.push(rings);
  }
}

function failAll(rings: Rings): void {
  rings.compressed.fail();
  rings.tar.fail();
}

/** Waits for all stages to end; when one fails it stops the others, and its error is the one thrown. */
async function settleTogether(jobs: Promise<JobResult>[], rings: Rings): Promise<JobResult[]> {
  let cause: GaruaError | undefined;
  await Promise.allSettled(
    jobs.map((job) =>
      job.catch((error: GaruaError) => {
        if (!cause || cause instanceof RingBrokenError) cause = error;
        failAll(rings);
      }),
    ),
  );
  if (cause) throw cause;
  return Promise.all(jobs);
}

function unpacked(results: JobResult[]): UnpackedLayer {
  const sha256 = results.find((result) => result.sha256 !== undefined)!.sha256!;
  return { sha256, bytes: results[0]!.bytes };
}
