import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Footer } from '../object-file/format';
import { ObjectReader, readFooter } from '../object-file/reader';
import { ObjectWriter } from '../object-file/writer';

/** A file in a folder of the NAS. */
export interface FileFacts {
  name: string;
  bytes: number;
  /** Last use or change, milliseconds since 1970, by the clock of the NAS. */
  modified: number;
}

/** Objects that are open in this thread, by the number that the owner gave. */
const readers = new Map<number, ObjectReader>();
const writers = new Map<number, ObjectWriter>();

function reader(handle: number): ObjectReader {
  return readers.get(handle)!;
}

function writer(handle: number): ObjectWriter {
  return writers.get(handle)!;
}

/** What a disk thread does. Everything is synchronous, so that a NAS that hangs holds up only this thread. */
export const JOBS = {
  openObject(handle: number, path: string, cid: string): Footer {
    const opened = new ObjectReader(path, cid);
    readers.set(handle, opened);
    return opened.footer;
  },
  readLeaves: (handle: number, first: number, count: number): Uint8Array =>
    reader(handle).leaves(first, count),
  checkLeaves: (handle: number, first: number, count: number): void =>
    void reader(handle).leaves(first, count),
  readBlocks: (handle: number, firstLeaf: number): Uint8Array[] => reader(handle).blocks(firstLeaf),
  createObject(handle: number, path: string): number {
    writers.set(handle, new ObjectWriter(path));
    return 0;
  },
  /** Goes on with an object that was left; reads and hashes what is there, and answers how many leaves. */
  resumeObject(handle: number, path: string): number {
    const resumed = new ObjectWriter(path, true);
    writers.set(handle, resumed);
    return resumed.leaves;
  },
  append: (handle: number, bytes: Uint8Array): void => writer(handle).append(bytes),
  expectBlocks: (handle: number, cid: string): void => writer(handle).expect(cid),
  takeBlock: (handle: number, block: Uint8Array) => writer(handle).block(block),
  readWritten: (handle: number, from: number, length: number): Uint8Array =>
    writer(handle).read(from, length),
  seal: (handle: number, name: string, at: number) => writer(handle).seal(name, at),
  close(handle: number): void {
    readers.get(handle)?.close();
    writers.get(handle)?.close();
    readers.delete(handle);
    writers.delete(handle);
  },
  footer: (path: string, cid: string): Footer => readFooter(path, cid),
  /** Moves a durable file to its final place, and makes the move durable; the folder is made when missing. */
  publish(from: string, to: string): void {
    const folder = dirname(to);
    makeFolder(folder);
    renameSync(from, to);
    syncFolder(folder);
  },
  move(from: string, to: string): void {
    renameSync(from, to);
    syncFolder(dirname(to));
    syncFolder(dirname(from));
  },
  /** Writes a small file as a whole. `temporary` is on the same file system. */
  writeSmall(temporary: string, path: string, content: string): void {
    const file = openSync(temporary, 'wx', 0o644);
    try {
      writeSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    JOBS.publish(temporary, path);
  },
  /** Makes a small file unless there is one: whole before it has its name, by a hard link where possible. */
  createExclusive(path: string, content: string): void {
    const temporary = `${path}.${process.pid}-${randomBytes(8).toString('hex')}.tmp`;
    const file = openSync(temporary, 'wx', 0o644);
    try {
      writeSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(temporary, path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // SMB and FAT have no links; two hosts that start there for the first time at once are a lesser evil.
      if (code !== 'EEXIST' && JOBS.readSmall(path) === undefined) renameSync(temporary, path);
    }
    JOBS.remove(temporary);
    syncFolder(dirname(path));
  },
  /** Opens, not only looks: NFS asks the server when a file is opened. */
  readSmall(path: string): string | undefined {
    return ignoreMissing(() => readFileSync(path, 'utf8'));
  },
  stat(path: string): { bytes: number; modified: number } | undefined {
    return ignoreMissing(() => {
      const file = openSync(path, 'r');
      closeSync(file);
      const { size, mtimeMs } = statSync(path);
      return { bytes: size, modified: Math.round(mtimeMs) };
    });
  },
  touch(path: string, milliseconds: number): void {
    ignoreMissing(() => utimesSync(path, milliseconds / 1000, milliseconds / 1000));
  },
  remove(path: string): boolean {
    return (
      ignoreMissing(() => {
        unlinkSync(path);
        return true;
      }) === true
    );
  },
  removeDurably(path: string): boolean {
    const removed = JOBS.remove(path);
    if (removed) syncFolder(dirname(path));
    return removed;
  },
  names: (folder: string): string[] => ignoreMissing(() => readdirSync(folder)) ?? [],
  files(folder: string): FileFacts[] {
    const files: FileFacts[] = [];
    for (const name of JOBS.names(folder)) {
      const facts = ignoreMissing(() => statSync(join(folder, name)));
      if (facts?.isFile()) files.push({ name, bytes: facts.size, modified: Math.round(facts.mtimeMs) });
    }
    return files;
  },
  /** By how much the clock of the NAS is ahead of this machine's, in milliseconds. */
  clockOffset(temporary: string): number {
    const before = Date.now();
    closeSync(openSync(temporary, 'wx', 0o644));
    const { mtimeMs } = statSync(temporary);
    unlinkSync(temporary);
    return Math.round(mtimeMs - (before + Date.now()) / 2);
  },
  makeFolders(paths: string[]): void {
    for (const path of paths) makeFolder(path);
  },
  /** Makes the folders that are missing, which are all in one, and makes them durable together. */
  makeFoldersIn(parent: string, paths: string[]): void {
    const made = paths.filter(mkdirUnlessThere);
    if (made.length > 0) syncFolder(parent);
  },
};

export type Jobs = typeof JOBS;

/** Only the last folder of a path is ever made: what is above comes from the NAS, or there is no NAS. */
function makeFolder(path: string): void {
  if (mkdirUnlessThere(path)) syncFolder(dirname(path));
}

function mkdirUnlessThere(path: string): boolean {
  try {
    mkdirSync(path, 0o755);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } catch (error) {
    // Some network file systems cannot sync a folder; there a rename is durable when it has returned.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
  } finally {
    closeSync(folder);
  }
}

function ignoreMissing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
