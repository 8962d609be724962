import { ratioBars } from '../harness/bars';
import type { BenchCase } from '../harness/bench';
import { compare } from '../harness/compare';

export const fourLayers100mbit: BenchCase = {
  name: 'four-layers-100mbit',
  summary: 'four layers, 100 Mbit/s',
  async run(bench) {
    const result = await compare(bench, {
      name: 'four-layers-100mbit',
      title: 'four layers, 100 Mbit/s',
      image: 'four-layers',
      link: '100mbit',
      storage: 'disk',
      repetitions: 3,
    });
    return { ...result, bars: ratioBars(result, {}) };
  },
};
