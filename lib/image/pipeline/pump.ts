import { createHash, type Hash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createLayerFolder, LayerExtractor } from '../extract';
import { DetectingDecompressor } from './detecting-decompressor';
import type { JobResult, JobSink, JobSource, PumpJob } from './job';
import { Ring } from './ring';

/** Bytes per step: large enough to make steps cheap, small enough to keep the stages in flow. */
const PIECE = 64 << 10;
const TAR_PIECE = 256 << 10;

interface Sink {
  write(bytes: Uint8Array): void;
  end(): void;
  /** After an error of any stage. */
  fail(): void;
}

/** Runs one stage: reads, keeps, decompresses and hands on until the source ends. Blocks its thread. */
export async function pump(job: PumpJob): Promise<JobResult> {
  const cleanups: (() => void)[] = [];
  const sinks: Sink[] = [];
  let hash: Hash | undefined;
  let keep: ((chunk: Uint8Array) => void) | undefined;
  let kept = 0;
  let bytes = 0;
  try {
    if (job.save) keep = openSave(job.save.file, job.save.offset, cleanups);
    const source = openSource(job.source, job.decompress ? PIECE : TAR_PIECE, cleanups);
    for (const sink of job.sinks) {
      if ('sha256' in sink) hash = createHash('sha256');
      else sinks.push(openSink(sink, cleanups));
    }
    const output = (chunk: Uint8Array) => {
      bytes += chunk.length;
      hash?.update(chunk);
      for (const sink of sinks) sink.write(chunk);
    };
    const decompressor = job.decompress ? new DetectingDecompressor(output) : undefined;
    if (decompressor) cleanups.push(() => decompressor.close());
    for (;;) {
      const chunk = source.read();
      if (!chunk) break;
      keep?.(chunk);
      kept = chunk.length;
      if (decompressor) await decompressor.push(chunk);
      else output(chunk);
      source.release(chunk.length);
      kept = 0;
    }
    await decompressor?.end();
    for (const sink of sinks) sink.end();
    return hash ? { bytes, sha256: hash.digest('hex') } : { bytes };
  } catch (error) {
    for (const sink of sinks) sink.fail();
    if ('ring' in job.source) {
      const ring = new Ring(job.source.ring);
      ring.fail();
      // What has arrived is worth keeping, also when there is no use for it now.
      if (kept > 0) ring.release(job.source.reader, kept);
      if (keep) for (const chunk of ring.remains(job.source.reader)) keep(chunk);
    }
    throw error;
  } finally {
    for (const cleanup of cleanups.reverse()) cleanup();
  }
}

function openSource(source: JobSource, piece: number, cleanups: (() => void)[]) {
  if ('ring' in source) {
    const ring = new Ring(source.ring);
    return {
      read: () => ring.read(source.reader, piece),
      release: (count: number) => ring.release(source.reader, count),
    };
  }
  const file = openSync(source.file, 'r');
  cleanups.push(() => closeSync(file));
  const buffer = Buffer.allocUnsafe(piece);
  return {
    read: () => {
      const count = readSync(file, buffer);
      return count === 0 ? undefined : buffer.subarray(0, count);
    },
    release: () => {},
  };
}

function openSink(sink: Exclude<JobSink, { sha256: true }>, cleanups: (() => void)[]): Sink {
  if ('ring' in sink) {
    const ring = new Ring(sink.ring);
    return { write: (bytes) => ring.write(bytes), end: () => ring.end(), fail: () => ring.fail() };
  }
  if ('extract' in sink) {
    createLayerFolder(sink.extract);
    const extractor = new LayerExtractor(sink.extract, { lowerFolders: sink.lowerFolders });
    cleanups.push(() => extractor.close());
    return { write: (bytes) => extractor.write(bytes), end: () => extractor.end(), fail: () => {} };
  }
  const file = openSync(sink.file, 'w', 0o600);
  cleanups.push(() => closeSync(file));
  return { write: (bytes) => writeAll(file, bytes), end: () => {}, fail: () => {} };
}

/**
 * Appends what comes after `offset` to the file. Being able to resume is worth no failure: when the disk
 * is full, the file goes, which also makes room for the layer itself.
 */
function openSave(path: string, offset: number, cleanups: (() => void)[]): (chunk: Uint8Array) => void {
  mkdirSync(dirname(path), { recursive: true });
  let file: number | undefined = openSync(path, offset > 0 ? 'r+' : 'w', 0o600);
  const close = () => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  cleanups.push(close);
  ftruncateSync(file, offset);
  let position = 0;
  return (chunk) => {
    const fresh = chunk.subarray(Math.min(chunk.length, Math.max(0, offset - position)));
    position += chunk.length;
    if (file === undefined || fresh.length === 0) return;
    try {
      writeAll(file, fresh, position - fresh.length);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      close();
      rmSync(path, { force: true });
    }
  };
}

function writeAll(file: number, bytes: Uint8Array, position?: number): void {
  for (let offset = 0; offset < bytes.length; ) {
    const at = position === undefined ? null : position + offset;
    offset += writeSync(file, bytes, offset, bytes.length - offset, at);
  }
}
