import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { fromErrorDocument, GaruaError, toGaruaError } from '../../base';
import type { Job, JobFailure, JobReply, JobResult } from './job';
import { RingBrokenError } from './ring';

/** A thread of the pipeline ended when it should not have. */
export class PipelineWorkerError extends GaruaError {
  constructor(reason: string, options?: ErrorOptions) {
    super(
      'ERR_IMAGE_WORKER_FAILED',
      `a worker thread of the image puller ended: ${reason}`,
      'The machine may be out of memory; try again, and see the system log when it happens again.',
      options,
    );
  }
}

interface Waiting {
  resolve(result: JobResult): void;
  reject(error: GaruaError): void;
}

const JOBS_PER_THREAD = 32;

/** One thread that runs jobs in the order they were given. */
export class PipelineWorker {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #idle: (() => void)[] = [];
  #jobs = 0;
  /** Settles when the thread has loaded its modules, or has ended. */
  readonly #loaded: Promise<void>;
  #ended: GaruaError | undefined;

  constructor() {
    this.#worker = new Worker(join(__dirname, 'worker.js'), {
      // Enough for what the stages keep; the young generation is small because the default of 16 MB and
      // more per thread is what makes threads expensive.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64, stackSizeMb: 1 },
      execArgv: [],
    });
    this.#loaded = new Promise((resolve) => {
      this.#worker.once('message', () => resolve()).once('exit', () => resolve());
    });
    // The first message says that the thread is loaded.
    this.#worker.once('message', () => {
      this.#worker.on('message', (reply: JobReply) => this.#settle(reply));
    });
    this.#worker.on('error', (error) => this.#end(new PipelineWorkerError(error.message, { cause: error })));
    this.#worker.on('exit', (code) => this.#end(new PipelineWorkerError(`exit code ${code}`)));
    this.#worker.unref();
  }

  get alive(): boolean {
    return this.#ended === undefined;
  }

  /** It has run enough jobs: what zlib-sync keeps for each goes only with the thread. */
  get worn(): boolean {
    return this.#jobs >= JOBS_PER_THREAD;
  }

  run(job: Job): Promise<JobResult> {
    if (this.#ended) return Promise.reject(this.#ended);
    this.#jobs += 1;
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ resolve, reject }) === 1) this.#worker.ref();
      this.#worker.postMessage(job);
    });
  }

  /** Ends the thread once it has done the jobs that it was given. */
  async retire(): Promise<void> {
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.terminate();
  }

  /** Ends the thread; not while it loads a native module, which would end the whole process. */
  async terminate(): Promise<void> {
    this.#worker.ref();
    await this.#loaded;
    await this.#worker.terminate();
  }

  #settle(reply: JobReply): void {
    const waiting = this.#waiting.shift()!;
    if (this.#waiting.length === 0) {
      this.#worker.unref();
      for (const resolve of this.#idle.splice(0)) resolve();
    }
    if ('result' in reply) waiting.resolve(reply.result);
    else waiting.reject(revive(reply.failure));
  }

  #end(error: GaruaError): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function revive(failure: JobFailure): GaruaError {
  if (failure.code === 'ERR_IMAGE_PIPELINE_BROKEN') return new RingBrokenError();
  const { code, message, hint } = failure;
  if (code !== undefined && hint !== undefined) return fromErrorDocument({ code, message, hint });
  const error = Object.assign(new Error(message), failure);
  return toGaruaError(error, 'unpacking the layer');
}

const IDLE_MS = 2000;

/** Keeps idle threads for a moment, since starting one costs 30-40 ms of CPU, then gives their memory back. */
export class WorkerPool {
  readonly #idle = new Set<PipelineWorker>();
  readonly #all = new Set<PipelineWorker>();
  #timer: NodeJS.Timeout | undefined;

  /** Starts threads that will be needed soon. */
  warm(count: number): void {
    while (this.#idle.size < count) this.#idle.add(this.#start());
    this.#reapLater();
  }

  take(): PipelineWorker {
    for (const worker of this.#idle) {
      this.#idle.delete(worker);
      if (worker.alive) return worker;
      this.#all.delete(worker);
    }
    return this.#start();
  }

  giveBack(worker: PipelineWorker): void {
    if (worker.worn) void worker.retire().then(() => this.#all.delete(worker));
    else if (worker.alive) this.#idle.add(worker);
    else this.#all.delete(worker);
    this.#reapLater();
  }

  /** Runs one job on an idle thread. */
  async run(job: Job): Promise<JobResult> {
    const worker = this.take();
    try {
      return await worker.run(job);
    } finally {
      this.giveBack(worker);
    }
  }

  /** Ends all threads, also busy ones. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const workers = [...this.#all];
    this.#all.clear();
    this.#idle.clear();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #start(): PipelineWorker {
    const worker = new PipelineWorker();
    this.#all.add(worker);
    return worker;
  }

  #reapLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      for (const worker of this.#idle) {
        this.#all.delete(worker);
        void worker.terminate();
      }
      this.#idle.clear();
    }, IDLE_MS).unref();
  }
}
