import type { BenchCase } from '../harness/bench';
import { compareTechniques } from '../harness/techniques';

export const techniquesLoopback: BenchCase = {
  name: 'techniques-loopback',
  summary: 'each technique off, four layers, unshaped loopback, disk',
  run: (bench) =>
    compareTechniques(bench, {
      name: 'techniques-loopback',
      title: 'each technique switched off, four layers, unshaped loopback, disk',
      link: 'unshaped',
      storage: 'disk',
      repetitions: 5,
    }),
};
