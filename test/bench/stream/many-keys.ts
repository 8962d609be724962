import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseWindowSpec, SteadyClock, WindowEngine, WindowRunner } from '../../../lib/stream';
import type { StreamCase } from './row';

const KEYS = 100_000;

/** All windows of 100,000 keys close at one watermark. */
export const manyKeys: StreamCase = {
  name: 'many-keys',
  async run() {
    const spec = parseWindowSpec({
      type: 'tumbling',
      size: 600_000,
      outOfOrderness: 0,
      aggregates: [{ op: 'count' }, { op: 'mean' }, { op: 'max' }],
    });
    const engine = new WindowEngine(spec);
    let panes = 0;
    const runner = new WindowRunner(engine, {
      clock: new SteadyClock(),
      onOutput: () => {
        panes += 1;
      },
      onError: (error) => {
        throw error;
      },
    });
    const empty = process.memoryUsage.rss();
    let peak = 0;
    for (let n = 0; n < 3 * KEYS; n += 1) {
      runner.push({ kind: 'event', event: { time: n, key: `sensor ${n % KEYS}`, value: n } });
      if (n % 10_000 === 0) {
        await nextTurn();
        peak = Math.max(peak, process.memoryUsage.rss());
      }
    }
    while (runner.backlog > 0) await nextTurn();
    runner.push({ kind: 'watermark', value: 600_000 });
    let longest = 0;
    const start = performance.now();
    for (let last = start; panes < KEYS; ) {
      await nextTurn();
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    const all = performance.now() - start;
    await runner.close();
    return [
      {
        what: '100,000 keys, tumbling: memory of the process',
        value: peak / 1e6,
        unit: 'MB',
        peer: { name: 'the process before', value: empty / 1e6 },
        bar: { atMost: 300 },
      },
      {
        what: '100,000 keys: longest pause when all close',
        value: longest,
        unit: 'ms',
        peer: { name: 'all of the closing', value: all },
        bar: { atMost: 50 },
      },
    ];
  },
};
