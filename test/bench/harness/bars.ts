import type { Bar, PullRow, PullsResult } from './result';
import { median } from './statistics';

/** Median seconds of a row, undefined when it has no samples. */
export function medianOf(rows: PullRow[], puller: string): number | undefined {
  const samples = rows.find((row) => row.puller === puller)?.samples ?? [];
  return samples.length ? median(samples.map(({ seconds }) => seconds)) : undefined;
}

/** Median seconds of the fastest of docker, podman and containerd. */
export function bestPeer(rows: PullRow[]): number | undefined {
  const times = ['docker', 'podman', 'containerd'].map((peer) => medianOf(rows, peer));
  const known = times.filter((time) => time !== undefined);
  return known.length ? Math.min(...known) : undefined;
}

/** garua's median as a multiple of others; what was not measured gives no bar. */
export function ratioBars(
  result: PullsResult,
  limits: { wire?: number; docker?: number; bestPeer?: number },
): Bar[] {
  const ours = medianOf(result.rows, 'garua');
  const others = {
    wire: { title: 'the wire', time: medianOf(result.rows, 'wire (curl)') },
    docker: { title: 'Docker', time: medianOf(result.rows, 'docker') },
    bestPeer: { title: 'the best peer', time: bestPeer(result.rows) },
  };
  const bars: Bar[] = [];
  for (const [key, { title, time }] of Object.entries(others)) {
    const limit = limits[key as keyof typeof limits];
    if (ours === undefined || time === undefined || limit === undefined) continue;
    bars.push({ claim: `${result.title}: garua / ${title}`, value: ours / time, limit, unit: 'x' });
  }
  return bars;
}
