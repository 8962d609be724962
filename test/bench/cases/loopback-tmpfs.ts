import { ratioBars } from '../harness/bars';
import type { BenchCase } from '../harness/bench';
import { compare } from '../harness/compare';

export const loopbackTmpfs: BenchCase = {
  name: 'loopback-tmpfs',
  summary: 'two layers, unshaped loopback, tmpfs',
  quick: true,
  async run(bench) {
    const result = await compare(bench, {
      name: 'loopback-tmpfs',
      title: 'two layers, unshaped loopback, tmpfs',
      image: 'two-layers',
      link: 'unshaped',
      storage: 'tmpfs',
      repetitions: bench.quick ? 1 : 5,
    });
    return { ...result, bars: ratioBars(result, { bestPeer: 0.5 }) };
  },
};
