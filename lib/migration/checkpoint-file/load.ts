import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type LongCall, syncFileSystem, throwIfAborted } from '../../base';
import type { Arrival } from '../../container';
import { unpackFolder } from './archive';
import type { CheckpointHeader } from './checkpoint-file';
import { decompress } from './compression';
import { CheckpointFileDamagedError } from './errors';
import { FrameReader } from './frames';

/** A checkpoint file being read, from its beginning to its end. */
export class CheckpointReader {
  private constructor(
    readonly header: CheckpointHeader,
    private readonly frames: FrameReader,
  ) {}

  /** Reads as far as the header. @throws {CheckpointFileDamagedError} */
  static async open(file: AsyncIterable<Uint8Array>): Promise<CheckpointReader> {
    const frames = new FrameReader(decompress(file));
    try {
      return new CheckpointReader(await frames.header<CheckpointHeader>(), frames);
    } catch (error) {
      await frames.close();
      throw error;
    }
  }

  /**
   * Puts all of it where it belongs. When this resolves, every byte is as it was written.
   *
   * @throws {CheckpointFileDamagedError} {AbortedError}
   */
  async fill(arrival: Arrival, { signal, onProgress }: LongCall = {}): Promise<void> {
    const total = 3 + arrival.volumes.length;
    const filled = new Set<string>();
    for (;;) {
      throwIfAborted(signal, `the restore of ${arrival.name}`);
      const name = await this.frames.part();
      if (name === undefined) break;
      onProgress?.({ phase: `reading ${name}`, done: filled.size, total, unit: 'steps' });
      filled.add(name);
      if (name === 'log') await pipeline(this.frames.data(), createWriteStream(arrival.log, { mode: 0o600 }));
      else await unpackFolder(this.frames.data(), folderFor(name, arrival), signal);
    }
    if (filled.size < total) throw new CheckpointFileDamagedError('not all parts of it are there');
    await syncFileSystem(arrival.upper);
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    await this.frames.close();
  }
}

function folderFor(part: string, { upper, images, volumes }: Arrival): string {
  if (part === 'upper') return upper;
  if (part === 'images') return images;
  const volume = volumes.find(({ name }) => part === `volume:${name}`);
  if (!volume) throw new CheckpointFileDamagedError(`it has a part that does not belong to it: ${part}`);
  return volume.path;
}
