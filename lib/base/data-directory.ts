import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { DiskFullError, GaruaError, InvalidArgumentError, toGaruaError } from './errors';
import { makeFolders } from './files';
import { tryLockFile } from './syscalls';

/** Another process owns the data directory. */
export class DataDirectoryInUseError extends GaruaError {
  constructor(path: string) {
    super(
      'ERR_DATA_DIRECTORY_IN_USE',
      `another process owns the data directory ${path}`,
      'Talk to it through its control socket, or choose another directory with --data.',
    );
  }
}

/** `/var/lib/garua` for root, `~/.garua` for everybody else. */
export function defaultDataDirectory(): string {
  return process.getuid?.() === 0 ? '/var/lib/garua' : join(homedir(), '.garua');
}

/** The one folder under which a host keeps everything. */
export class DataDirectory {
  readonly path: string;
  #lock: number | undefined;

  constructor(path: string = defaultDataDirectory()) {
    this.path = resolve(path);
  }

  /** A path inside the directory. */
  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  get controlSocket(): string {
    return this.join('garua.sock');
  }

  /**
   * Makes the directory when missing and becomes its only owner, until `close` or the end of the process.
   *
   * @throws {DataDirectoryInUseError} {InvalidArgumentError} when it can be no folder
   * @throws {PermissionError} when this user may not own it
   */
  acquire(): void {
    this.#make();
    const lock = this.#openLock();
    if (!tryLockFile(lock)) {
      closeSync(lock);
      throw new DataDirectoryInUseError(this.path);
    }
    this.#lock = lock;
    try {
      // For people who look; what counts is the lock, which the kernel drops with the process.
      writeSync(lock, `${process.pid}\n`);
    } catch (error) {
      if (!(toGaruaError(error) instanceof DiskFullError)) throw error;
    }
  }

  #openLock(): number {
    try {
      return openSync(this.join('garua.lock'), 'a', 0o600);
    } catch (error) {
      throw toGaruaError(error, `using the data directory ${this.path}`);
    }
  }

  #make(): void {
    try {
      makeFolders(this.path, 0o711);
      if (statSync(this.path).isDirectory()) return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw toGaruaError(error, `using ${this.path}`);
    }
    throw new InvalidArgumentError(
      `${this.path} cannot be a data directory: it is no folder, and none can be made there`,
      'Choose a folder on a disk of this machine with --data.',
    );
  }

  close(): void {
    if (this.#lock !== undefined) closeSync(this.#lock);
    this.#lock = undefined;
  }
}
