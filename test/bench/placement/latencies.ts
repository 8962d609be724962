import { existsSync, readFileSync } from 'node:fs';

/** Measured latencies: slices of time, each a matrix in ms, `null` where nothing was measured. */
export type LatencySlices = (number | null)[][][];

/** Reads `{"slices": [[[ms or null]]]}`; undefined when there is no such file. */
export function readLatencies(path: string | undefined): LatencySlices | undefined {
  if (path === undefined || !existsSync(path)) return undefined;
  const { slices } = JSON.parse(readFileSync(path, 'utf8')) as { slices?: LatencySlices };
  if (!Array.isArray(slices)) throw new Error(`${path} holds no "slices"`);
  return slices;
}

/** The latencies between the first sites of a slice. */
export function corner(slice: (number | null)[][], sites: number): (number | null)[][] {
  return slice.slice(0, sites).map((row) => row.slice(0, sites));
}
