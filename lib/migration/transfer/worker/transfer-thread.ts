import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { fromErrorDocument } from '../../../base';
import { TransferFailedError } from '../errors';
import type { Jobs } from './jobs';
import type { JobReply, JobRequest } from './messages';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The thread that reads, hashes and writes for one transfer, so that the event loop stays free. */
export class TransferThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #ended: Error | undefined;

  constructor() {
    this.#worker = new Worker(join(__dirname, 'thread.js'), { execArgv: [] });
    this.#worker.on('message', (reply: JobReply) => {
      const { resolve, reject } = this.#waiting.shift()!;
      if (this.#waiting.length === 0) this.#worker.unref();
      if ('error' in reply) reject(fromErrorDocument(reply.error));
      else resolve(reply.result);
    });
    this.#worker.on('error', (error) => this.#end(error.message));
    this.#worker.on('exit', () => this.#end('its thread has ended'));
    this.#worker.unref();
  }

  /** Runs one job after those given before; the bytes of `moved` are the thread's from now on. */
  run<J extends keyof Jobs>(
    job: J,
    parameters: Parameters<Jobs[J]>,
    moved?: Uint8Array,
  ): Promise<ReturnType<Jobs[J]>> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as Waiting['resolve'], reject });
      this.#worker.ref();
      const transfer = moved ? [moved.buffer as ArrayBuffer] : [];
      this.#worker.postMessage({ job, parameters } satisfies JobRequest, transfer);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(reason: string): void {
    this.#ended ??= new TransferFailedError(reason);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}
