import type { BenchCase } from '../harness/bench';
import { compareTechniques } from '../harness/techniques';

export const techniquesTmpfs: BenchCase = {
  name: 'techniques-tmpfs',
  summary: 'each technique off, four layers, unshaped loopback, tmpfs',
  run: (bench) =>
    compareTechniques(bench, {
      name: 'techniques-tmpfs',
      title: 'each technique switched off, four layers, unshaped loopback, tmpfs',
      link: 'unshaped',
      storage: 'tmpfs',
      repetitions: 5,
    }),
};
