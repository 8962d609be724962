import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GaruaError } from '../../base';
import type { Answer, Change, KeyRecord, OpenOutcome, Request } from './messages';
import { buffersOf } from './piece';

/** The state of a window could not be read from or written to its file. */
export class StreamStorageError extends GaruaError {
  constructor(path: string, code: string, message: string) {
    super(
      'ERR_STREAM_STORAGE',
      `the window state in ${path} could not be read or written: ${message} (${code})`,
      'Check that the folder can be written to and that the disk has room.',
    );
  }
}

interface Waiting {
  onRecords: (records: KeyRecord[]) => void;
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

/** One worker serves all stores of the process, and ends with the last of them. */
let shared: { worker: Worker; stores: Map<number, Waiting[]> } | undefined;
let lastStore = 0;

/** The file of one engine's state, behind a worker: SQLite never runs on the event loop. */
export class StateWriter {
  readonly #path: string;
  readonly #store: number;
  readonly #shared: NonNullable<typeof shared>;

  constructor(path: string) {
    this.#path = path;
    lastStore += 1;
    this.#store = lastStore;
    shared ??= startWorker();
    this.#shared = shared;
    this.#shared.stores.set(this.#store, []);
  }

  /** Opens the file; `onRecord` gets the keys that it holds. @throws {StreamStorageError} */
  async open(
    settings: string,
    onRecord: (record: KeyRecord) => void,
  ): Promise<{ outcome: OpenOutcome; meta: string | undefined }> {
    const onRecords = (records: KeyRecord[]) => {
      for (const record of records) onRecord(record);
    };
    const answer = await this.#ask({ op: 'open', store: this.#store, path: this.#path, settings }, onRecords);
    return answer as Extract<Answer, { op: 'opened' }>;
  }

  /** Hands changes over; they take effect with the next commit. */
  put(changes: Change[]): void {
    const buffers = changes.flatMap((change) => (change.kind === 'piece' ? buffersOf(change.piece) : []));
    this.#shared.worker.postMessage({ op: 'put', store: this.#store, changes } satisfies Request, buffers);
  }

  /** Writes all changes in one transaction. @throws {StreamStorageError} */
  async commit(meta: string): Promise<void> {
    await this.#ask({ op: 'commit', store: this.#store, meta });
  }

  async close(): Promise<void> {
    try {
      await this.#ask({ op: 'close', store: this.#store });
    } finally {
      await this.#release();
    }
  }

  /** Deletes the file; instead of `open`. */
  async remove(): Promise<void> {
    try {
      await this.#ask({ op: 'remove', store: this.#store, path: this.#path });
    } finally {
      await this.#release();
    }
  }

  #ask(request: Request, onRecords: Waiting['onRecords'] = () => {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        const { code = 'ERR_INTERNAL' } = error as NodeJS.ErrnoException;
        reject(new StreamStorageError(this.#path, code, error.message));
      };
      const waiting = this.#shared.stores.get(this.#store);
      if (!waiting) {
        fail(new Error('its worker has ended'));
        return;
      }
      waiting.push({ onRecords, resolve, reject: fail });
      // A forgotten store must not keep the process alive; a request under way must.
      this.#shared.worker.ref();
      this.#shared.worker.postMessage(request);
    });
  }

  async #release(): Promise<void> {
    const { stores, worker } = this.#shared;
    stores.delete(this.#store);
    if (stores.size > 0) return;
    if (shared === this.#shared) shared = undefined;
    await worker.terminate();
  }
}

function startWorker(): NonNullable<typeof shared> {
  const worker = new Worker(join(__dirname, 'worker.js'));
  const stores = new Map<number, Waiting[]>();
  const started = { worker, stores };
  worker.on('message', (answer: Answer) => {
    const waiting = stores.get(answer.store);
    if (!waiting || waiting.length === 0) return;
    if (answer.op === 'records') {
      waiting[0]!.onRecords(answer.records);
      return;
    }
    const { resolve, reject } = waiting.shift()!;
    if ([...stores.values()].every(({ length }) => length === 0)) worker.unref();
    if (answer.op === 'failed') reject(Object.assign(new Error(answer.message), { code: answer.code }));
    else resolve(answer);
  });
  const end = (error: Error) => {
    if (shared === started) shared = undefined;
    for (const waiting of stores.values()) for (const { reject } of waiting.splice(0)) reject(error);
    stores.clear();
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('its worker has ended')));
  worker.unref();
  return started;
}
