import type { ContainerSpec } from '../../../lib';
import type { Bench, BenchCase } from '../harness/bench';
import { median } from '../harness/statistics';
import { fact } from './facts';
import { downtimeOf, type Move, measureMove } from './measure';
import { PlainRunc } from './peers/runc';
import { Poller } from './poller';
import { LINKS, type MovingHosts, withHosts } from './with-hosts';

const REPETITIONS = 5;
const PORT = 8080;
/** Of the server that does not leave its host: the other one passes on for a while those who come to its port. */
const PLAIN_PORT = 8081;
const COMMAND = ['node', '/programs/server.js'];
const SPEC = {
  ...{ name: 'bench-server', network: 'bridge' as const, command: COMMAND },
  ports: [{ hostPort: PORT, containerPort: PORT }],
  env: { PATH: '/bin' },
} satisfies Partial<ContainerSpec>;

/** How long a server of Node.js does not answer when it moves. */
export const httpServer: BenchCase = {
  name: 'http-server',
  summary: 'a Node.js HTTP server of about 60 MB over 100 Mbit/s, beside plain runc',
  quick: true,
  run: (bench) =>
    withHosts(bench, { name: 'migration-http', link: '100mbit', image: 'nodejs' }, async (hosts) => {
      const runs: (Move & { plain: number })[] = [];
      const repetitions = bench.repetitions ?? (bench.quick ? 1 : REPETITIONS);
      for (let turn = 1; turn <= repetitions; turn += 1) {
        const run = { ...(await moveServer(hosts)), plain: await moveInPlace(bench, hosts) };
        runs.push(run);
        bench.say(
          `http-server ${turn}/${repetitions}: downtime ${Math.round(run.downtime)} ms, runc ${Math.round(run.plain)} ms`,
        );
      }
      const of = (value: (run: (typeof runs)[number]) => number) => runs.map(value);
      const downtime = of((run) => run.downtime);
      const plain = of((run) => run.plain);
      return {
        kind: 'facts',
        name: 'http-server',
        title: `A Node.js HTTP server that is asked every 5 ms, over ${LINKS['100mbit'].title}`,
        date: new Date().toISOString(),
        facts: [
          fact('downtime', downtime, 'ms'),
          fact(
            'downtime as the result says',
            of(({ result }) => result.downtimeMs),
            'ms',
          ),
          fact('downtime, runc checkpoint and restore on one host', plain, 'ms'),
          fact(
            'whole migration',
            of(({ result }) => result.totalMs),
            'ms',
          ),
          fact(
            'bytes sent',
            of(({ result }) => result.bytesSent / 1e6),
            'MB',
          ),
          fact(
            'event loop of the busier host, p99',
            of(({ eventLoop }) => eventLoop.p99),
            'ms',
          ),
        ],
        bars: [
          { claim: 'Node.js HTTP server: downtime', value: median(downtime), limit: 1200, unit: 'ms' },
          {
            claim: 'Node.js HTTP server: downtime beyond that of dump and restore on one host',
            value: median(downtime) - median(plain),
            limit: 500,
            unit: 'ms',
          },
        ],
      };
    }),
};

/** Asked on both hosts: where it is, it answers. */
async function moveServer(hosts: MovingHosts): Promise<Move> {
  const poller = new Poller();
  for (const { place } of hosts.hosts) poller.ask(place, place.address, PORT);
  try {
    return await measureMove(hosts, SPEC, () => poller.times);
  } finally {
    poller.stop();
  }
}

async function moveInPlace(bench: Bench, hosts: MovingHosts): Promise<number> {
  const plain = new PlainRunc(hosts);
  const poller = new Poller();
  const { place } = hosts.hosts[0];
  try {
    await plain.run(await bench.images.ensure('nodejs'), [...COMMAND, String(PLAIN_PORT)], place.namespace);
    poller.ask(place, place.address, PLAIN_PORT);
    return await downtimeOf(
      () => poller.times,
      () => plain.checkpointAndRestore(),
    );
  } finally {
    poller.stop();
    await plain.close();
  }
}
