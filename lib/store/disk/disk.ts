import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { exitAtOnce, GaruaError } from '../../base';
import { NasHungError } from '../errors';
import { diskError } from './disk-error';
import type { Jobs } from './jobs';
import type { DiskReply, DiskRequest } from './messages';

export type JobResult<J extends keyof Jobs> = ReturnType<Jobs[J]>;

/** Threads for one file system. One does most of the work; others keep a long sync from holding up a read. */
const THREADS = 3;
/** Threads that a file system may hold up before nothing more is asked of it. */
const MAXIMUM_STUCK = 2;
/** A thread with nothing to do is ended after so many milliseconds: it takes 4 MB, and 30 ms to begin again. */
const REST_MS = 20_000;
/** Making much data durable takes longer than anything else. */
const PATIENCE: Partial<Record<keyof Jobs, number>> = { seal: 4, append: 2, takeBlock: 2, resumeObject: 20 };

interface Waiting {
  job: keyof Jobs;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A file system, used from threads of its own so that it can hang without holding up this process. */
export class Disk {
  readonly #threads: DiskThread[] = [];
  readonly #stuck = new Set<DiskThread>();
  #handles = 0;

  /** @param limitMs How long one call to the file system may take. */
  constructor(
    readonly folder: string,
    readonly limitMs: number,
    readonly restMs = REST_MS,
  ) {}

  /** Runs one job on whichever thread is free. */
  run<J extends keyof Jobs>(job: J, ...parameters: Parameters<Jobs[J]>): Promise<JobResult<J>> {
    return this.#thread().run(job, parameters);
  }

  /** A number for an open object, and the thread that has it. */
  handle(): DiskHandle {
    this.#handles += 1;
    return new DiskHandle(this.#thread(), this.#handles);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.terminate()));
  }

  #thread(): DiskThread {
    if (this.#stuck.size >= MAXIMUM_STUCK) throw new NasHungError(this.folder, this.limitMs);
    let best = this.#threads[0];
    for (const thread of this.#threads) if (thread.load < best!.load) best = thread;
    if (best && (best.idle || this.#threads.length === THREADS)) return best;
    const thread = new DiskThread(this.folder, this, {
      stuck: () => this.#setAside(thread),
      free: () => this.#stuck.delete(thread),
      rested: () => {
        this.#threads.splice(this.#threads.indexOf(thread), 1);
        void thread.terminate();
      },
    });
    this.#threads.push(thread);
    return thread;
  }

  #setAside(thread: DiskThread): void {
    this.#threads.splice(this.#threads.indexOf(thread), 1);
    this.#stuck.add(thread);
    letProcessEnd();
  }
}

/** An object that is open in a disk thread; its jobs run in the order in which they are given. */
export class DiskHandle {
  constructor(
    private readonly thread: DiskThread,
    private readonly handle: number,
  ) {
    thread.openHandles += 1;
  }

  run<J extends keyof Jobs>(
    job: J,
    parameters: Parameters<Jobs[J]> extends [number, ...infer Rest] ? Rest : never,
  ): Promise<JobResult<J>> {
    return this.thread.run(job, [this.handle, ...(parameters as unknown[])] as Parameters<Jobs[J]>);
  }

  /** Closes the file; a file system that does not even do that is not worth an error here. */
  async close(): Promise<void> {
    this.thread.openHandles -= 1;
    await this.run('close', []).catch(() => {});
  }
}

class DiskThread {
  openHandles = 0;
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #watchdog: NodeJS.Timeout | undefined;
  #resting: NodeJS.Timeout | undefined;
  #failed: Error | undefined;

  constructor(
    private readonly folder: string,
    private readonly limits: { limitMs: number; restMs: number },
    private readonly events: { stuck(): void; free(): void; rested(): void },
  ) {
    this.#worker = new Worker(join(__dirname, 'thread.js'), {
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64, stackSizeMb: 1 },
      execArgv: [],
    });
    this.#worker.on('message', (reply: DiskReply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#end(threadError(error.message)));
    this.#worker.on('exit', (code) => this.#end(threadError(`exit code ${code}`)));
    this.#worker.unref();
  }

  /** It has nothing to do at the moment. */
  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  get load(): number {
    return this.#waiting.length * 4 + this.openHandles;
  }

  run<J extends keyof Jobs>(job: J, parameters: Parameters<Jobs[J]>): Promise<JobResult<J>> {
    if (this.#failed) return Promise.reject(this.#failed);
    clearTimeout(this.#resting);
    return new Promise((resolve, reject) => {
      const waiting = { job, resolve: resolve as (result: unknown) => void, reject };
      if (this.#waiting.push(waiting) === 1) {
        this.#worker.ref();
        this.#watch();
      }
      this.#worker.postMessage({ job, parameters } satisfies DiskRequest);
    });
  }

  async terminate(): Promise<void> {
    clearTimeout(this.#watchdog);
    clearTimeout(this.#resting);
    this.#failed ??= threadError('the store was closed');
    await this.#worker.terminate();
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    const [next] = this.#waiting;
    if (!next) return;
    const limit = this.limits.limitMs * (PATIENCE[next.job] ?? 1);
    this.#watchdog = setTimeout(() => {
      this.#failed = new NasHungError(this.folder, limit);
      for (const { reject } of this.#waiting) reject(this.#failed);
      this.#worker.unref();
      this.events.stuck();
    }, limit);
  }

  #settle(reply: DiskReply): void {
    const waiting = this.#waiting.shift();
    if (this.#failed) {
      // The file system answers again, too late for those who asked; this thread is of no use any more.
      this.events.free();
      void this.#worker.terminate();
      return;
    }
    if (this.#waiting.length === 0) this.#rest();
    this.#watch();
    if (reply.failure) waiting?.reject(diskError(this.folder, reply.failure));
    else waiting?.resolve(reply.result);
  }

  #rest(): void {
    this.#worker.unref();
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      if (this.idle && this.openHandles === 0 && !this.#failed) this.events.rested();
    }, this.limits.restMs).unref();
  }

  #end(error: Error): void {
    clearTimeout(this.#watchdog);
    clearTimeout(this.#resting);
    this.#failed ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failed);
  }
}

function threadError(reason: string): GaruaError {
  return new GaruaError(
    'ERR_STORE_THREAD_ENDED',
    `a disk thread of the store ended: ${reason}`,
    'The machine may be out of memory; try again.',
  );
}

let prepared = false;

/** A process that ends waits for its threads, also for one that a file system will never let go. */
function letProcessEnd(): void {
  if (prepared) return;
  prepared = true;
  process.once('exit', (code) => exitAtOnce(code));
}
