import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkHost } from '../../support/network';
import type { BenchCase } from '../harness/bench';
import { untilMore } from './gaps';
import { Poller } from './poller';
import { withHosts } from './with-hosts';

const NAME = 'bench-elastic';
const PORT = 8080;
/** 50 requests a second. */
const INTERVAL_MS = 20;
const MOVES = 6;
const READINESS = { tcp: PORT, intervalMs: 200 };

/** Whether those who use a service notice that it moves. */
export const elastic: BenchCase = {
  name: 'elastic',
  summary: 'a stateless HTTP server under 50 requests/s that moves in elastic mode',
  quick: true,
  run: (bench) =>
    withHosts(bench, { name: 'migration-elastic', link: '100mbit', image: 'nodejs' }, async (hosts) => {
      const [source, target] = hosts.hosts;
      const poller = new Poller();
      const { port } = await source.use((host) => host.useService('bench'));
      const moves = bench.repetitions ?? (bench.quick ? 2 : MOVES);
      try {
        await source.use((host) =>
          host.deploy(
            {
              ...{ name: NAME, image: hosts.image, network: 'bridge', env: { PATH: '/bin' } },
              command: ['node', '/programs/server.js'],
              mounts: [...hosts.mounts],
              ...{ service: 'bench', servicePort: PORT, readiness: READINESS },
            },
            { policy: 'never' },
          ),
        );
        await untilReady(source);
        poller.ask(source.place, '127.0.0.1', port!, INTERVAL_MS);
        for (let move = 1; move <= moves; move += 1) {
          await untilMore(() => poller.times, 50);
          const [from, to] = move % 2 === 1 ? [source, target] : [target, source];
          await hosts.move(NAME, { mode: 'elastic' }, [from, to]);
          await untilMore(() => poller.times, 50);
          bench.say(`elastic ${move}/${moves}: ${poller.failed} of ${poller.times.length} failed`);
        }
      } finally {
        poller.stop();
        await hosts.remove(NAME);
      }
      return {
        kind: 'facts',
        name: 'elastic',
        title: 'A stateless HTTP server under 50 requests/s that moves in elastic mode',
        date: new Date().toISOString(),
        facts: [{ what: 'answered requests', value: poller.times.length, unit: '' }],
        bars: [{ claim: 'elastic mode: failed requests', value: poller.failed, limit: 0, unit: '' }],
      };
    }),
};

async function untilReady(host: NetworkHost): Promise<void> {
  const end = performance.now() + 60_000;
  for (;;) {
    const [service] = await host.use((all) => all.services());
    if (service?.instances[0]?.state === 'ready') return;
    if (performance.now() > end) throw new Error('the service is not ready');
    await sleep(200);
  }
}
