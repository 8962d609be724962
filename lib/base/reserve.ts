import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DiskFullError, toGaruaError } from './errors';

const SIZE = 1 << 20;
/** The reserve is made only where it is no burden. */
const ROOM = 16 * SIZE;

/**
 * A file that takes up a little room beside the index, to be given away when the disk is full: SQLite needs room even
 * to delete something, or to open, and without it nothing could be removed any more to make room.
 */
export class Reserve {
  readonly #path: string;

  /** `database`: the path of the index. */
  constructor(database: string) {
    this.#path = join(dirname(database), 'reserve');
  }

  /** Makes the file, unless it is there or the disk is rather full. */
  keep(): void {
    try {
      if (statSync(this.#path, { throwIfNoEntry: false })?.size === SIZE) return;
      const { bavail, bsize } = statfsSync(dirname(this.#path));
      if (bavail * bsize < ROOM) return;
      const file = openSync(this.#path, 'w', 0o600);
      try {
        writeSync(file, Buffer.alloc(SIZE));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    } catch {
      // A disk that fails here says so at the next real write.
      rmSync(this.#path, { force: true });
    }
  }

  /**
   * To be called before something new is begun: the reserve is there to make room, not to be filled up.
   *
   * @throws {DiskFullError} when it was given away and the disk is still full
   */
  check(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })) return;
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    if (bavail * bsize < SIZE) throw new DiskFullError(dirname(this.#path));
  }

  /** Does the work; when the disk is full for it, gives the room away and tries once more. */
  spend<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!this.#give(error)) throw error;
      return work();
    }
  }

  /** As `spend`, for work that takes its time. */
  async spendLater<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!this.#give(error)) throw error;
      return work();
    }
  }

  /** Whether there is more room now than when the error was thrown. */
  #give(error: unknown): boolean {
    if (!(toGaruaError(error) instanceof DiskFullError)) return false;
    if (!statSync(this.#path, { throwIfNoEntry: false })) return false;
    rmSync(this.#path);
    return true;
  }
}
