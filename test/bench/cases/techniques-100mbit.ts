import type { BenchCase } from '../harness/bench';
import { compareTechniques } from '../harness/techniques';

export const techniques100mbit: BenchCase = {
  name: 'techniques-100mbit',
  summary: 'each technique off, four layers, 100 Mbit/s',
  run: (bench) =>
    compareTechniques(bench, {
      name: 'techniques-100mbit',
      title: 'each technique switched off, four layers, 100 Mbit/s',
      link: '100mbit',
      storage: 'disk',
      repetitions: 3,
    }),
};
