import type { BenchCase } from '../harness/bench';
import { median } from '../harness/statistics';
import { BareLine } from './in-place';
import { withFog } from './with-fog';

const MESSAGES = 200;

/** How long a message takes to another site and an answer back, beside the bare TCP round trip. */
export const messages: BenchCase = {
  name: 'messages',
  summary: 'a message to another site and its answer beside the bare TCP round trip',
  quick: true,
  run: (bench) =>
    withFog(bench, 'fog-messages', async ({ writer, remote, network }) => {
      const count = bench.quick ? MESSAGES / 4 : MESSAGES;
      const line = await BareLine.open(remote.place);
      const bare = await line.roundTrips(writer.place, count);
      line.close();
      const near = await writer.open();
      const far = await remote.open();
      const ending = new AbortController();
      const { signal } = ending;
      const inbox = near.subscribe('pong', { subscriber: 'bench', signal })[Symbol.asyncIterator]();
      const answering = (async () => {
        for await (const { sequence } of far.subscribe('ping', { subscriber: 'bench', signal })) {
          await far.publish('pong', 'x');
          await far.acknowledge('bench', [sequence]);
        }
      })().catch(() => {});
      const first = inbox.next();
      await untilHeard(() => near.publish('ping', 'x'), first);
      const before = await network.bytesBetweenSites();
      const times: number[] = [];
      for (let turn = 0; turn < count; turn += 1) {
        const started = performance.now();
        await near.publish('ping', 'x');
        const { value } = await inbox.next();
        times.push(performance.now() - started);
        await near.acknowledge('bench', [value.sequence]);
      }
      const between = (await network.bytesBetweenSites()) - before;
      ending.abort();
      await answering;
      await Promise.all([near.close(), far.close()]);
      const limit = 1.3 * median(bare) + 1;
      return {
        kind: 'facts',
        name: 'messages',
        title: 'A message to another site and one back, each first on disk',
        date: new Date().toISOString(),
        facts: [
          { what: 'both messages', value: median(times), unit: 'ms' },
          { what: 'bare TCP round trip', value: median(bare), unit: 'ms' },
          { what: 'bytes between sites for both', value: between / count, unit: 'bytes' },
        ],
        bars: [
          {
            claim: 'message between two sites and its answer',
            value: median(times),
            limit: Math.round(limit * 10) / 10,
            unit: 'ms',
          },
        ],
      };
    }),
};

/** The other host may learn of a subscriber only after it was opened: says so again until it has. */
async function untilHeard(say: () => Promise<unknown>, heard: Promise<unknown>): Promise<void> {
  let done = false;
  void heard.finally(() => {
    done = true;
  });
  while (!done) {
    await say();
    await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 500))]);
  }
}
