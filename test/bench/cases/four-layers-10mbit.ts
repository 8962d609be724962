import { ratioBars } from '../harness/bars';
import type { BenchCase } from '../harness/bench';
import { compare } from '../harness/compare';

export const fourLayers10mbit: BenchCase = {
  name: 'four-layers-10mbit',
  summary: 'four layers, 10 Mbit/s',
  async run(bench) {
    const result = await compare(bench, {
      name: 'four-layers-10mbit',
      title: 'four layers, 10 Mbit/s',
      image: 'four-layers',
      link: '10mbit',
      storage: 'disk',
      repetitions: 1,
    });
    return { ...result, bars: ratioBars(result, {}) };
  },
};
