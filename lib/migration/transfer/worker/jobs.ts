import { DumpBuilder } from '../dump/builder';
import { type ImageBatch, readImages } from '../dump/images';
import { DumpReader } from '../dump/reader';
import { MappedFiles } from '../folder/mapped-files';
import { FolderReader } from '../folder/reader';
import { FolderWriter } from '../folder/writer';
import { KnownPages } from '../memory/known-pages';
import { PageCache } from '../memory/page-cache';
import { MemoryReader } from '../memory/reader';
import { readPiece, writePieces } from '../pieces';
import { hurry, yieldToOthers } from './priority';

/** What one transfer knows, at the source and at the target; it is gone with its thread. */
const known = new KnownPages();
const memory = new MemoryReader(known);
const dumps = new DumpReader(known);
const cache = new PageCache();
const builder = new DumpBuilder(cache);
let images: Iterator<ImageBatch> = [][Symbol.iterator]();
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
  beginMemory: (pids: number[]) => {
    yieldToOthers();
    memory.begin(pids);
  },
  nextMemory: () => memory.next(),
  noteMapped: (pids: number[]) => mapped.note(pids),
  beginFolder: (path: string, mountedAt: readonly string[]) =>
    of(readers, path, () => new FolderReader(path)).begin(mapped.within(mountedAt)),
  nextFolder: (path: string) => readers.get(path)!.next(),
  nextDump: (folder: string) => {
    hurry();
    return dumps.next(folder);
  },
  endDump: () => dumps.end(),
  beginImages: (folder: string) => {
    images = readImages(folder);
  },
  nextImages: (): ImageBatch | undefined => images.next().value ?? undefined,
  keepPages: (bytes: Uint8Array) => {
    yieldToOthers();
    cache.add(bytes);
  },
  writeFolder: (path: string, changes: Parameters<FolderWriter['apply']>[0], bytes: Uint8Array) =>
    of(writers, path, () => new FolderWriter(path)).apply(changes, bytes),
  buildDump: (path: string, runs: Parameters<DumpBuilder['append']>[1], bytes: Uint8Array) => {
    hurry();
    builder.append(path, runs, bytes);
  },
  completeDump: (path: string, digest: string) => builder.end(path, digest),
  readPiece,
  writePieces,
};

export type Jobs = typeof JOBS;
