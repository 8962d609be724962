import { ratioBars } from '../harness/bars';
import type { BenchCase } from '../harness/bench';
import { compare } from '../harness/compare';

export const fourLayersLoopback: BenchCase = {
  name: 'four-layers-loopback',
  summary: 'four layers, unshaped loopback, disk',
  async run(bench) {
    const result = await compare(bench, {
      name: 'four-layers-loopback',
      title: 'four layers, unshaped loopback, disk',
      image: 'four-layers',
      link: 'unshaped',
      storage: 'disk',
      repetitions: 5,
    });
    return { ...result, bars: ratioBars(result, {}) };
  },
};
