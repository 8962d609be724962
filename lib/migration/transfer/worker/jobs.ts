import { DumpBuilder } from '../dump/builder';
import { DumpReader } from '../dump/reader';
import { MappedFiles } from '../folder/mapped-files';
import { FolderReader } from '../folder/reader';
import { FolderWriter } from '../folder/writer';
import { KnownPages } from '../memory/known-pages';
import { PageCache } from '../memory/page-cache';
import { MemoryReader } from '../memory/reader';

/** What one transfer knows, at the source and at the target; it is gone with its thread. */
const known = new KnownPages();
const memory = new MemoryReader(known);
const dumps = new DumpReader(known);
const cache = new PageCache();
const builder = new DumpBuilder(cache);
const mapped = new MappedFiles();
const readers = new Map<string, FolderReader>();
const writers = new Map<string, FolderWriter>();

function of<T>(all: Map<string, T>, path: string, make: () => T): T {
  const found = all.get(path) ?? make();
  all.set(path, found);
  return found;
}

/** All that a transfer's thread does. Each job takes well under a second, but for the scan of a large folder. */
export const JOBS = {
  limitPages: (limit: number) => known.limit(limit),
  beginMemory: (pids: number[]) => memory.begin(pids),
  nextMemory: () => memory.next(),
  noteMapped: (pids: number[]) => mapped.note(pids),
  beginFolder: (path: string, mountedAt: readonly string[]) =>
    of(readers, path, () => new FolderReader(path)).begin(mapped.within(mountedAt)),
  nextFolder: (path: string) => readers.get(path)!.next(),
  beginDump: (file: string) => dumps.begin(file),
  nextDump: () => dumps.next(),
  keepPages: (bytes: Uint8Array) => cache.add(bytes),
  writeFolder: (path: string, changes: Parameters<FolderWriter['apply']>[0], bytes: Uint8Array) =>
    of(writers, path, () => new FolderWriter(path)).apply(changes, bytes),
  buildDump: (path: string, runs: Parameters<DumpBuilder['append']>[1], bytes: Uint8Array) =>
    builder.append(path, runs, bytes),
  endDump: (path: string, digest: string) => builder.end(path, digest),
  readPlain: (path: string, offset: number) => dumps.plain(path, offset),
  writePlain: (path: string, offset: number, bytes: Uint8Array) => builder.plain(path, offset, bytes),
};

export type Jobs = typeof JOBS;
