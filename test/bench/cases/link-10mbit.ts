import { ratioBars } from '../harness/bars';
import type { BenchCase } from '../harness/bench';
import { compare } from '../harness/compare';

export const link10mbit: BenchCase = {
  name: 'link-10mbit',
  summary: 'two layers, 10 Mbit/s',
  async run(bench) {
    const result = await compare(bench, {
      name: 'link-10mbit',
      title: 'two layers, 10 Mbit/s',
      image: 'two-layers',
      link: '10mbit',
      storage: 'disk',
      repetitions: 2,
    });
    return { ...result, bars: ratioBars(result, {}) };
  },
};
