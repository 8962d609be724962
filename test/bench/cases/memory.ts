import { join } from 'node:path';
import type { BenchCase } from '../harness/bench';
import type { PeakMemory } from '../harness/memory';
import type { Bar, Fact } from '../harness/result';
import { median } from '../harness/statistics';
import type { ImageName } from '../images/recipes';
import { GaruaPuller } from '../pullers';

const LIMIT_MB = 160;

/** The largest resident set of `garua pull`, workers included, as the kernel keeps it (VmHWM). */
export const memory: BenchCase = {
  name: 'memory',
  summary: 'peak memory of garua pull, for the two-layer image and a layer of 2 GB',
  quick: true,
  async run(bench) {
    const names: ImageName[] = bench.quick ? ['two-layers'] : ['two-layers', 'two-gigabytes'];
    const facts: Fact[] = [];
    const bars: Bar[] = [];
    for (const name of names) {
      const image = await bench.images.ensure(name);
      const folder = join(bench.area.folder('disk'), 'memory');
      const puller = new GaruaPuller({ folder, registry: bench.registry.address }, { memory: true });
      bench.cleanup.defer('garua', () => puller.cleanup());
      const runs: PeakMemory[] = [];
      for (let turn = 0; turn < (bench.repetitions ?? (bench.quick ? 1 : 3)); turn += 1) {
        await puller.prepare();
        const { memory } = await puller.pull(bench.images.reference(name));
        runs.push(memory!);
      }
      await puller.cleanup();
      const unpacked = image.layers.reduce((sum, layer) => sum + layer.unpacked, 0);
      const peaks = runs.map(({ peak }) => megabytes(peak));
      const value = Math.max(...peaks);
      const { anonymous, files } = runs[peaks.indexOf(value)]!;
      const parts = `${megabytes(anonymous).toFixed(0)} own, ${megabytes(files).toFixed(0)} program files`;
      const note = `${runs.length} runs, median ${median(peaks).toFixed(0)} MB; at the peak ${parts}`;
      bench.say(`memory ${name}: ${value.toFixed(0)} MB; ${note}`);
      facts.push({
        what: `garua pull, ${name} (${(unpacked / 1e6).toFixed(0)} MB unpacked)`,
        value,
        unit: 'MB',
        note,
      });
      bars.push({ claim: `peak memory of garua pull, ${name}`, value, limit: LIMIT_MB, unit: 'MB' });
    }
    return {
      kind: 'facts',
      name: 'memory',
      title: 'peak memory (largest of all runs)',
      date: new Date().toISOString(),
      facts,
      bars,
    };
  },
};

function megabytes(bytes: number): number {
  return bytes / 1e6;
}
