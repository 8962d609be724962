import { join } from 'node:path';
import { execute } from '../../../lib/base';
import type { ImageName } from '../images/recipes';
import { PULLERS, type Puller, type PullerSetting, WirePuller } from '../pullers';
import type { Bench } from './bench';
import { LINKS, type Link } from './registry';
import type { PullRow, PullsResult } from './result';
import { formatNumber } from './statistics';
import type { Storage } from './work-area';

export interface Comparison {
  name: string;
  title: string;
  image: ImageName;
  link: keyof typeof LINKS;
  storage: Storage;
  repetitions: number;
  /** Default: all programs of `pullers/`. */
  pullers?: Record<string, (setting: PullerSetting) => Puller>;
  /** Row that the ratios refer to. Default: the wire. */
  baseline?: string;
}

/** Pulls one image with several programs that take turns: A B C A B C, each time into an empty data-root. */
export async function compare(bench: Bench, comparison: Comparison): Promise<PullsResult> {
  const { name, title, storage, pullers = PULLERS } = comparison;
  const image = await bench.images.ensure(comparison.image);
  const ref = bench.images.reference(comparison.image);
  const link: Link = LINKS[comparison.link];
  const contestants: Puller[] = [];
  for (const [key, create] of Object.entries(pullers)) {
    if (pullers === PULLERS && bench.pullers && !bench.pullers.includes(key)) continue;
    const folder = join(bench.area.folder(storage), key.replace(/\W+/g, '-'));
    contestants.push(create({ folder, registry: bench.registry.address }));
  }
  const wire = new WirePuller(bench.images.urls(image));
  contestants.push(wire);

  const rows: PullRow[] = [];
  for (const puller of contestants) {
    const availability = await puller.available();
    if ('version' in availability)
      rows.push({ puller: puller.name, version: availability.version, samples: [] });
    else rows.push({ puller: puller.name, version: '', samples: [], problem: availability.missing });
    bench.cleanup.defer(puller.name, () => puller.cleanup());
  }
  // The registry's files belong in the page cache for everybody.
  await wire.pull();
  await bench.registry.shape(link);
  const repetitions = bench.repetitions ?? comparison.repetitions;
  try {
    for (let repetition = 1; repetition <= repetitions; repetition += 1) {
      for (const [index, puller] of contestants.entries()) {
        const row = rows[index]!;
        if (row.problem) continue;
        const text = await takeTurn(puller, row, ref, bench.area.folder(storage));
        bench.say(`${name} ${repetition}/${repetitions} ${puller.name}: ${text}`);
      }
    }
  } finally {
    await bench.registry.shape(LINKS.unshaped);
  }
  return {
    kind: 'pulls',
    name,
    title,
    date: new Date().toISOString(),
    image: {
      name: image.name,
      layers: image.layers.length,
      compressed: image.layers.reduce((sum, { size }) => sum + size, 0),
      unpacked: image.layers.reduce((sum, { unpacked }) => sum + unpacked, 0),
    },
    link: link.title,
    storage,
    baseline: comparison.baseline ?? wire.name,
    rows,
    bars: [],
  };
}

/** One pull; the data of the one before is gone, and so are its dirty pages. */
async function takeTurn(puller: Puller, row: PullRow, ref: string, folder: string): Promise<string> {
  try {
    await puller.prepare();
    await execute('sync', [], { timeoutMs: 300_000 });
    const { seconds } = await puller.pull(ref);
    const start = performance.now();
    await execute('sync', ['--file-system', folder], { timeoutMs: 300_000 });
    row.samples.push({ seconds, durableSeconds: seconds + (performance.now() - start) / 1000 });
    return `${formatNumber(seconds)} s`;
  } catch (error) {
    row.problem = `failed: ${(error as Error).message}`;
    return row.problem;
  } finally {
    await puller.cleanup();
  }
}
