import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Database, toGaruaError } from '../../../base';

const sync = promisify(fdatasync);

/** Work that was handed in: what it answered once it is committed, and when a power cut cannot undo it. */
export interface Commit<T> {
  committed: Promise<T>;
  durable: Promise<void>;
}

interface Waiting {
  work: () => unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * Puts what comes within one turn of the event loop into one transaction, in its order. A commit outlives the
 * process at once; the log of SQLite is brought to the disk by a thread, for all commits since the last time, so
 * that neither the event loop nor a message on its way waits for a slow disk.
 */
export class GroupCommit {
  readonly #database: Database;
  /** Inside another one it is a savepoint. */
  readonly #transaction: (work: () => unknown) => unknown;
  #waiting: Waiting[] = [];
  #log: number | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | undefined;

  constructor(database: Database) {
    this.#database = database;
    this.#transaction = database.transaction((work) => work());
  }

  /** What `work` changed before it threw is undone; the work of others stays. */
  add<T>(work: () => T): Commit<T> {
    const committed = new Promise<T>((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush());
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject });
    });
    const durable = committed.then(() => this.#sync());
    // Whoever does not ask must not be told.
    durable.catch(() => {});
    return { committed, durable };
  }

  async close(): Promise<void> {
    this.#flush();
    await this.#nextSync?.catch(() => {});
    await this.#syncing;
    if (this.#log !== undefined) closeSync(this.#log);
    this.#log = undefined;
  }

  #flush(): void {
    const all = this.#waiting;
    this.#waiting = [];
    if (all.length === 0) return;
    const outcomes: (() => void)[] = [];
    try {
      this.#transaction(() => {
        for (const { work, resolve, reject } of all) {
          try {
            const value = this.#transaction(work);
            outcomes.push(() => resolve(value));
          } catch (error) {
            // Of a full disk SQLite takes all back.
            if (!this.#database.inTransaction) throw error;
            outcomes.push(() => reject(toGaruaError(error, 'queueing messages')));
          }
        }
      });
    } catch (error) {
      for (const { reject } of all) reject(toGaruaError(error, 'queueing messages'));
      return;
    }
    for (const settle of outcomes) settle();
  }

  /** One at a time; who comes while one runs shares the next. */
  #sync(): Promise<void> {
    this.#nextSync ??= this.#syncing.then(async () => {
      this.#nextSync = undefined;
      // SQLite keeps this file, and locks others: to close it costs no lock.
      this.#log ??= openSync(`${this.#database.name}-wal`, 'r+');
      const running = sync(this.#log).catch((error) => {
        throw toGaruaError(error, 'writing messages to the disk');
      });
      this.#syncing = running.catch(() => {});
      return running;
    });
    return this.#nextSync;
  }
}
