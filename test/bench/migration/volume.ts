import type { BenchCase } from '../harness/bench';
import { median } from '../harness/statistics';
import { fact } from './facts';
import { type Move, measureMove } from './measure';
import { type MovingHosts, withHosts } from './with-hosts';

const REPETITIONS = 5;
const MEGABYTES = 500;
const COMMAND = ['/programs/memory', '20', '0', '/shared/beats'];
const FILL = `i=0; while [ $i -lt 20 ]; do busybox dd if=/dev/urandom of=/data/$i bs=1M count=${MEGABYTES / 20}; i=$((i+1)); done`;

/** What files that do not change add to the downtime. */
export const unchangedVolume: BenchCase = {
  name: 'volume',
  summary: `a volume of ${MEGABYTES} MB that does not change meanwhile, over 100 Mbit/s`,
  run: (bench) =>
    withHosts(bench, { name: 'migration-volume', link: '100mbit', image: 'busybox' }, async (hosts) => {
      const [bare, full]: [Move[], Move[]] = [[], []];
      const repetitions = bench.repetitions ?? (bench.quick ? 1 : REPETITIONS);
      for (let turn = 1; turn <= repetitions; turn += 1) {
        bare.push(await move(hosts, false));
        full.push(await move(hosts, true));
        const [without, withIt] = [bare, full].map((moves) => Math.round(moves.at(-1)!.downtime));
        bench.say(`volume ${turn}/${repetitions}: downtime ${without} ms without, ${withIt} ms with it`);
      }
      const [without, withIt] = [bare, full].map((moves) => moves.map(({ downtime }) => downtime));
      const sent = full.map(({ result }) => result.bytesSent / 1e6);
      return {
        kind: 'facts',
        name: 'volume',
        title: `A volume of ${MEGABYTES} MB that does not change`,
        date: new Date().toISOString(),
        facts: [
          fact('downtime without it', without!, 'ms'),
          fact('downtime with it', withIt!, 'ms'),
          fact('bytes sent with it', sent, 'MB'),
        ],
        bars: [
          {
            claim: `${MEGABYTES} MB of files that do not change: added downtime`,
            value: median(withIt!) - median(without!),
            limit: 50,
            unit: 'ms',
          },
        ],
      };
    }),
};

function move(hosts: MovingHosts, withVolume: boolean): Promise<Move> {
  const mounts = withVolume ? ([{ type: 'volume', source: 'bench-data', target: '/data' }] as const) : [];
  const spec = { name: 'bench-volume', network: 'none', command: COMMAND, mounts: [...mounts] } as const;
  const before = () => (withVolume ? hosts.inside(spec.name, FILL) : Promise.resolve());
  return measureMove(hosts, { ...spec, mounts: [...mounts] }, () => hosts.beats(), { before });
}
