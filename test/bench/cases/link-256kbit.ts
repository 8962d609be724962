import { ratioBars } from '../harness/bars';
import type { BenchCase } from '../harness/bench';
import { compare } from '../harness/compare';

export const link256kbit: BenchCase = {
  name: 'link-256kbit',
  summary: '4 MB, 256 kbit/s',
  async run(bench) {
    const result = await compare(bench, {
      name: 'link-256kbit',
      title: '4 MB, 256 kbit/s',
      image: 'small',
      link: '256kbit',
      storage: 'disk',
      repetitions: 1,
    });
    return { ...result, bars: ratioBars(result, {}) };
  },
};
