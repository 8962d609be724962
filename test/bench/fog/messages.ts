import type { BenchCase } from '../harness/bench';
import { median } from '../harness/statistics';
import { BareLine } from './in-place';
import { withFog } from './with-fog';

const MESSAGES = 200;

/** How long a message takes to another site, beside the bare TCP round trip. */
export const messages: BenchCase = {
  name: 'messages',
  summary: 'a message to another site beside the bare TCP round trip',
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
      const inbox = far.subscribe('ping', { subscriber: 'bench', signal })[Symbol.asyncIterator]();
      let arriving = inbox.next();
      /** Resolves when this message has come; what was said before it is passed over. */
      const arrival = async (body: string) => {
        for (;;) {
          const { value } = await arriving;
          arriving = inbox.next();
          arriving.catch(() => {});
          const at = performance.now();
          await far.acknowledge('bench', [value.sequence]);
          if (value.body === body) return at;
        }
      };
      await untilHeard(() => near.publish('ping', 'first'), arriving);
      const before = await network.bytesBetweenSites();
      const times: number[] = [];
      for (let turn = 0; turn < count; turn += 1) {
        // Both hosts are asked from here, by one clock.
        const started = performance.now();
        const [at] = await Promise.all([arrival(`turn ${turn}`), near.publish('ping', `turn ${turn}`)]);
        times.push(at - started);
      }
      const between = (await network.bytesBetweenSites()) - before;
      ending.abort();
      await Promise.all([near.close(), far.close()]);
      const limit = 1.3 * median(bare) + 1;
      return {
        kind: 'facts',
        name: 'messages',
        title: 'A message to another site, on disk at both',
        date: new Date().toISOString(),
        facts: [
          { what: 'from the call to the receiver', value: median(times), unit: 'ms' },
          { what: 'bare TCP round trip', value: median(bare), unit: 'ms' },
          { what: 'bytes between sites for it', value: between / count, unit: 'bytes' },
        ],
        bars: [
          {
            claim: 'message between two sites',
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
