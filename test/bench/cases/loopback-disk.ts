import { ratioBars } from '../harness/bars';
import type { BenchCase } from '../harness/bench';
import { compare } from '../harness/compare';

export const loopbackDisk: BenchCase = {
  name: 'loopback-disk',
  summary: 'two layers, unshaped loopback, disk',
  async run(bench) {
    const result = await compare(bench, {
      name: 'loopback-disk',
      title: 'two layers, unshaped loopback, disk',
      image: 'two-layers',
      link: 'unshaped',
      storage: 'disk',
      repetitions: 5,
    });
    return { ...result, bars: ratioBars(result, { bestPeer: 0.6 }) };
  },
};
