import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '../base';
import { ObjectCorruptError } from './errors';
import type { StoreParts } from './parts';
import type { ScrubOptions, ScrubResult } from './store';
import { CHUNK_BYTES } from './tree/layout';

const DEFAULT_BYTES_PER_SECOND = 20_000_000;
const PIECE_LEAVES = 4;

/**
 * Reads all objects and checks every block, no faster than it is told to; `repair` is called for each object
 * that was damaged, after it was put aside, and answers whether there is a whole one now.
 */
export async function scrub(
  { nas, index }: StoreParts,
  options: ScrubOptions,
  repair: (cid: string) => Promise<boolean>,
): Promise<ScrubResult> {
  const { signal, onProgress, bytesPerSecond = DEFAULT_BYTES_PER_SECOND } = options;
  const started = performance.now();
  const result: ScrubResult = { objects: 0, bytes: 0, damaged: [], repaired: [], seconds: 0 };
  const total = index.usage().bytes;
  const pause = async (bytes: number) => {
    result.bytes += bytes;
    const early = (result.bytes / bytesPerSecond) * 1000 - (performance.now() - started);
    if (early > 1) await sleep(early, undefined, { signal }).catch(() => {});
    throwIfAborted(signal, 'the scrub');
    onProgress?.({
      phase: 'scrubbing',
      done: result.bytes,
      total: Math.max(total, result.bytes),
      unit: 'bytes',
    });
  };
  for await (const { name: cid } of nas.objects()) {
    result.objects += 1;
    try {
      const object = await nas.open(cid);
      if (!object) continue;
      try {
        for (let leaf = 0; leaf < object.leaves; leaf += PIECE_LEAVES) {
          await object.check(leaf, PIECE_LEAVES);
          await pause(Math.min(PIECE_LEAVES * CHUNK_BYTES, object.footer.size - leaf * CHUNK_BYTES));
        }
      } finally {
        await object.close();
      }
    } catch (error) {
      if (!(error instanceof ObjectCorruptError)) throw error;
      result.damaged.push(cid);
      await nas.quarantine(cid);
      index.remove(cid);
      if (await repair(cid)) result.repaired.push(cid);
    }
  }
  result.seconds = (performance.now() - started) / 1000;
  return result;
}
