import { join } from 'node:path';
import type { BenchCase } from '../harness/bench';
import type { Bar, Fact } from '../harness/result';
import { PULLERS } from '../pullers';

/** Counted by the registry: how much of the base a second image that shares it fetches again. */
export const sharedBase: BenchCase = {
  name: 'shared-base',
  summary: 'a second image that shares the base: bytes of the base fetched again',
  quick: true,
  async run(bench) {
    const first = await bench.images.ensure('two-layers');
    const second = await bench.images.ensure('shared-base');
    const base = first.layers[0]!.digest;
    if (second.layers[0]!.digest !== base) throw new Error('the two images do not share their base');
    const facts: Fact[] = [];
    const bars: Bar[] = [];
    for (const [name, create] of Object.entries(PULLERS)) {
      if (bench.pullers && !bench.pullers.includes(name)) continue;
      const puller = create({
        folder: join(bench.area.folder('tmpfs'), name),
        registry: bench.registry.address,
      });
      const availability = await puller.available();
      if ('missing' in availability) {
        facts.push({ what: name, value: Number.NaN, unit: 'bytes', note: availability.missing });
        continue;
      }
      bench.cleanup.defer(name, () => puller.cleanup());
      await puller.prepare();
      bench.registry.clearRequests();
      await puller.pull(bench.images.reference('two-layers'));
      // Proves that the count works: the first pull must show the whole base.
      const before = bench.registry.bytesServed(base);
      if (before < first.layers[0]!.size) throw new Error(`${name}: the access log shows ${before} bytes`);
      bench.registry.clearRequests();
      const { seconds } = await puller.pull(bench.images.reference('shared-base'));
      const value = bench.registry.bytesServed(base);
      await puller.cleanup();
      bench.say(`shared-base ${name}: ${value} bytes of the base, ${seconds.toFixed(2)} s`);
      facts.push({ what: name, value, unit: 'bytes', note: `second pull ${seconds.toFixed(2)} s` });
      if (name === 'garua') {
        bars.push({ claim: 'bytes of a shared base fetched again', value, limit: 0, unit: 'bytes' });
      }
    }
    return {
      kind: 'facts',
      name: 'shared-base',
      title: 'bytes of the shared base that a second image fetches again (by the registry’s access log)',
      date: new Date().toISOString(),
      facts,
      bars,
    };
  },
};
