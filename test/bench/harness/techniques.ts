import type { PullStrategy } from '../../../lib/image';
import { GaruaStrategyPuller } from '../pullers/garua-strategy';
import type { Puller, PullerSetting } from '../pullers/puller';
import type { Bench } from './bench';
import { compare } from './compare';
import type { LINKS } from './registry';
import type { PullsResult } from './result';
import type { Storage } from './work-area';

export const ALL_ON = 'garua, all on';

/** Each technique of the paper alone, then all of them, taken away. */
export const STRATEGIES: Record<string, Partial<PullStrategy>> = {
  [ALL_ON]: {},
  'parallel layers': { layers: 'parallel' },
  'no pipeline': { pipelined: false },
  'one thread': { threads: 'one' },
  'all off': { layers: 'parallel', pipelined: false, threads: 'one' },
};

/** The same puller with one technique switched off at a time: what each of them gains. */
export function compareTechniques(
  bench: Bench,
  setting: {
    name: string;
    title: string;
    link: keyof typeof LINKS;
    storage: Storage;
    repetitions: number;
  },
): Promise<PullsResult> {
  const pullers = Object.entries(STRATEGIES).map(([name, strategy]) => {
    return [name, (own: PullerSetting): Puller => new GaruaStrategyPuller(name, own, strategy)] as const;
  });
  return compare(bench, {
    ...setting,
    image: 'four-layers',
    pullers: Object.fromEntries(pullers),
    baseline: ALL_ON,
  });
}
