import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type LongCall, throwIfAborted, VERSION } from '../../base';
import { CheckpointTimeoutError, type Departure, type DumpTimes } from '../../container';
import type { Checkpointer } from '../checkpoint';
import { packFolder } from './archive';
import { type CheckpointHeader, LONGEST_LOG_TAIL } from './checkpoint-file';
import { compress } from './compression';
import { FrameWriter } from './frames';

/** Whoever takes the bytes may be slow, but not hold the container still for ever. Milliseconds. */
const FROZEN_LIMIT_MS = 10 * 60_000;

export interface SaveOptions extends LongCall {
  /** For the dump, in milliseconds. */
  timeoutMs?: number | undefined;
  /** The name of this host. */
  host: string;
  /** Told when the container goes on. */
  onThaw?: ((times: DumpTimes & { stillMs: number }) => void) | undefined;
}

/**
 * The bytes of a checkpoint file of a container, which is frozen while its files are read, and goes on then. Its
 * departure is over when this ends, however it ends.
 */
export function saveCheckpoint(
  departure: Departure,
  checkpointer: Checkpointer,
  options: SaveOptions,
): AsyncGenerator<Uint8Array> {
  return compress(frames(departure, checkpointer, options));
}

async function* frames(
  departure: Departure,
  checkpointer: Checkpointer,
  { signal, onProgress, onThaw, timeoutMs, host }: SaveOptions,
): AsyncGenerator<Uint8Array> {
  const writer = new FrameWriter();
  const limit = new AbortController();
  const either = signal ? AbortSignal.any([signal, limit.signal]) : limit.signal;
  const steps = 3 + departure.volumes.length;
  let done = 0;
  const proceed = (phase: string) => {
    limit.signal.throwIfAborted();
    throwIfAborted(signal, `the checkpoint of ${departure.name}`);
    onProgress?.({ phase, done, total: steps, unit: 'steps' });
    done += 1;
  };
  async function* part(
    name: string,
    bytes: AsyncIterable<Uint8Array> | Uint8Array[],
  ): AsyncGenerator<Uint8Array> {
    yield writer.part(name);
    for await (const chunk of bytes) yield writer.data(chunk);
    yield writer.partEnd();
  }

  let timer: NodeJS.Timeout | undefined;
  try {
    proceed('freezing');
    const images = await departure.imagesFolder();
    const start = performance.now();
    const times = await checkpointer.checkpoint(departure, images, { signal, timeoutMs });
    timer = setTimeout(() => {
      limit.abort(new CheckpointTimeoutError(`reading the files of ${departure.name}`, FROZEN_LIMIT_MS));
      // Also when nobody asks for the next bytes.
      departure.thaw().catch(() => {});
    }, FROZEN_LIMIT_MS);
    yield writer.header(await headerOf(departure, checkpointer, images, host));
    proceed('writing files');
    yield* part('upper', packFolder(departure.upper, either));
    for (const { name, path } of departure.volumes) {
      proceed('writing files');
      yield* part(`volume:${name}`, packFolder(path, either));
    }
    const log = await logTail(departure.logFiles());
    proceed('writing memory');
    clearTimeout(timer);
    await departure.thaw();
    onThaw?.({ ...times, stillMs: performance.now() - start });
    yield* part('log', [log]);
    yield* part('images', packFolder(images, signal));
    yield writer.end();
  } catch (error) {
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    clearTimeout(timer);
    await departure.resume();
  }
}

async function headerOf(
  departure: Departure,
  checkpointer: Checkpointer,
  images: string,
  host: string,
): Promise<CheckpointHeader> {
  const { spec, image } = departure.record;
  return {
    version: 1,
    createdAt: new Date().toISOString(),
    host,
    madeBy: VERSION,
    facts: await checkpointer.facts(),
    container: { spec, image },
    address: departure.address,
    imageBytes: await bytesIn(images),
  };
}

/** CRIU makes no folders in its folder. */
async function bytesIn(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(async (file) => (await stat(join(folder, file))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** The end of the log, from the start of a line on. Read while the container stands still. */
async function logTail(files: string[]): Promise<Buffer> {
  const last = files.at(-1);
  if (last === undefined) return Buffer.alloc(0);
  await using file = await open(last, 'r');
  const { size } = await file.stat();
  const length = Math.min(size, LONGEST_LOG_TAIL);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return size === length ? buffer : buffer.subarray(buffer.indexOf('\n') + 1);
}
