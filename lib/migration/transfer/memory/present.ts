import { readSync } from 'node:fs';
import type { Mapping } from './mappings';

/** Bits of the upper half of an entry of /proc/PID/pagemap (kernel, admin-guide/mm/pagemap). */
const PRESENT = 1 << 31;
const SWAPPED = 1 << 30;
const OF_FILE = 1 << 29;
const ENTRY = 8;
/** Entries read at once. */
const BATCH = 8192;

const entries = new Uint32Array(2 * BATCH);

/** The runs of a mapping that hold memory of the process's own, as bytes `[start, end)`. */
export function* presentRuns(
  pagemap: number,
  mapping: Mapping,
  pageSize: number,
): Generator<[number, number]> {
  let run: [number, number] | undefined;
  const last = mapping.end / pageSize;
  for (let page = mapping.start / pageSize; page < last; page += BATCH) {
    const count = Math.min(BATCH, last - page);
    const read = readSync(pagemap, entries, 0, count * ENTRY, page * ENTRY) / ENTRY;
    for (let index = 0; index < read; index += 1) {
      const flags = entries[2 * index + 1]!;
      const own = (flags & (PRESENT | SWAPPED)) !== 0 && (mapping.shared || (flags & OF_FILE) === 0);
      const start = (page + index) * pageSize;
      if (!own) continue;
      if (run && run[1] === start) run[1] = start + pageSize;
      else {
        if (run) yield run;
        run = [start, start + pageSize];
      }
    }
  }
  if (run) yield run;
}
