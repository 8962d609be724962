import { AbortedError, GaruaError } from '../../lib/base';

/** More messages came than the host can follow. */
export class QueueFullError extends GaruaError {
  constructor(limit: number) {
    super(
      'ERR_QUEUE_FULL',
      `${limit} messages already wait for their turn at this node`,
      'Send fewer, or wait for the first output before sending the next.',
    );
  }
}

export interface Job {
  /** The container it is about. */
  name: string;
  /** Whether a later stop or remove makes it pointless. */
  starts: boolean;
  /** Whether it makes earlier starting jobs of the same container pointless. */
  ends: boolean;
  /** `cancelled`: it cut short or made pointless what came before it. */
  run(signal: AbortSignal, cancelled: boolean): Promise<void>;
}

interface Entry {
  job: Job;
  abort: AbortController;
}

const LIMIT = 100;

/** Does one job after another. A job that ends a container first cancels what would start it. */
export class JobQueue {
  readonly #entries = new Set<Entry>();
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  /** Whether a job about this container is under way or waits. */
  has(name: string): boolean {
    return [...this.#entries].some(({ job }) => job.name === name);
  }

  /**
   * Resolves or rejects with the job; a cancelled one rejects with ERR_ABORTED.
   *
   * @throws {QueueFullError}
   */
  add(job: Job): Promise<void> {
    if (this.#closed) return Promise.reject(new AbortedError(`the work on container ${job.name}`));
    const cancelled = job.ends && this.#cancel((earlier) => earlier.name === job.name && earlier.starts);
    if (this.#entries.size >= LIMIT) return Promise.reject(new QueueFullError(LIMIT));
    const entry: Entry = { job, abort: new AbortController() };
    this.#entries.add(entry);
    const result = this.#last.then(async () => {
      try {
        if (entry.abort.signal.aborted) throw new AbortedError(`the work on container ${job.name}`);
        await job.run(entry.abort.signal, cancelled);
      } finally {
        this.#entries.delete(entry);
      }
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** Cancels everything and resolves when the last job has let go. */
  close(): Promise<void> {
    this.#closed = true;
    this.#cancel(() => true);
    return this.#last;
  }

  /** Answers whether there was anything to cancel. */
  #cancel(concerns: (job: Job) => boolean): boolean {
    const concerned = [...this.#entries].filter(({ job }) => concerns(job));
    for (const { abort } of concerned) abort.abort();
    return concerned.length > 0;
  }
}
