import { ratioBars } from '../harness/bars';
import type { BenchCase } from '../harness/bench';
import { compare } from '../harness/compare';

export const link100mbit: BenchCase = {
  name: 'link-100mbit',
  summary: 'two layers, 100 Mbit/s',
  quick: true,
  async run(bench) {
    const result = await compare(bench, {
      name: 'link-100mbit',
      title: 'two layers, 100 Mbit/s',
      image: 'two-layers',
      link: '100mbit',
      storage: 'disk',
      repetitions: bench.quick ? 1 : 5,
    });
    return { ...result, bars: ratioBars(result, { wire: 1.06, docker: 0.75, bestPeer: 0.82 }) };
  },
};
