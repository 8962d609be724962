import { type FileHandle, open } from 'node:fs/promises';
import { LONGEST_LINE } from './k8s-format';
import type { Segment } from './segments';

const BLOCK = 64 * 1024;
const NEWLINE = 10;
const SPACE = 32;
const PARTIAL = 'P'.charCodeAt(0);
/** The parts of a line may lie before those of many lines of the other stream: so far back they are looked for. */
const LOOK_BACK = 2 * LONGEST_LINE;

/** A place in the log from which at least the last lines come. */
export interface LogPosition {
  segment: Segment;
  offset: number;
}

interface RecordHead {
  offset: number;
  stream: number;
  isPart: boolean;
}

/**
 * Where to begin so that the last `lines` lines, whole, are among those that follow. Reads from the end backwards, and
 * not more than is needed.
 */
export async function startOfTail(segments: Segment[], lines: number): Promise<LogPosition | undefined> {
  const last = segments.at(-1);
  if (!last || lines === 0) return last && { segment: last, offset: last.size };
  let counted = 0;
  let lookedBack = 0;
  /** Streams, by the first letter after `std`, of whose first counted line the beginning has not been seen. */
  const open = new Set<number>();
  for await (const { segment, heads, size } of blocksBackwards(segments)) {
    for (const { offset, stream, isPart } of heads.reverse()) {
      if (isPart) {
        // At the very end: a line that is not complete.
        if (counted === 0) open.add(stream);
      } else if (counted < lines) {
        counted += 1;
        open.add(stream);
      } else {
        open.delete(stream);
      }
      if (counted === lines && open.size === 0) return { segment, offset };
    }
    if (counted === lines) lookedBack += size;
    if (lookedBack > LOOK_BACK) return { segment, offset: heads.at(-1)?.offset ?? 0 };
  }
  return { segment: segments[0]!, offset: 0 };
}

async function* blocksBackwards(segments: Segment[]) {
  for (const segment of [...segments].reverse()) {
    let file: FileHandle;
    try {
      file = await open(segment.path, 'r');
    } catch {
      // Removed by a rotation in this moment, and with it all before it.
      return;
    }
    await using _closing = file;
    for (let end = segment.size; end > 0; ) {
      const start = Math.max(0, end - BLOCK);
      const block = Buffer.allocUnsafe(end - start);
      await file.read(block, 0, block.length, start);
      // The record that the block's start cuts belongs to the next block.
      const first = start === 0 ? 0 : block.indexOf(NEWLINE) + 1;
      const next = first > 0 && first < block.length ? start + first : start;
      yield { segment, heads: recordHeads(block, first, start), size: end - next };
      end = next;
    }
  }
}

function recordHeads(block: Buffer, first: number, base: number): RecordHead[] {
  const heads: RecordHead[] = [];
  for (let start = first; start < block.length; ) {
    const end = block.indexOf(NEWLINE, start);
    if (end < 0) break;
    const afterTime = block.indexOf(SPACE, start);
    const afterStream = block.indexOf(SPACE, afterTime + 1);
    if (afterTime > 0 && afterStream > 0 && afterStream < end) {
      const stream = block[afterTime + 4]!;
      heads.push({ offset: base + start, stream, isPart: block[afterStream + 1] === PARTIAL });
    }
    start = end + 1;
  }
  return heads;
}
