import { parseWindowSpec, WindowEngine } from '../../../lib/stream';
import { cpuSeconds, median, type Row, type StreamCase } from './row';

/** Events per CPU-second through an engine, one a millisecond. */
export function rateOf(spec: object, events: number, keys = 1): number {
  const engine = new WindowEngine(parseWindowSpec(spec));
  const names = Array.from({ length: keys }, (_, n) => `key ${n}`);
  const before = cpuSeconds();
  for (let n = 0; n < events; n += 1) {
    engine.add({ time: n, key: names[n % keys]!, value: n % 997 });
    while (engine.next());
  }
  return events / (cpuSeconds() - before);
}

function medianRate(spec: object, events: number, keys?: number): number {
  rateOf(spec, events / 4, keys);
  return median([1, 2, 3].map(() => rateOf(spec, events, keys)));
}

/** The same means as one would write them by hand: events in order, nothing late, plain sums. */
function byHand(events: number): number {
  const means: { key: string; start: number; mean: number }[] = [];
  const open = new Map<string, { start: number; sum: number; n: number }>();
  const before = cpuSeconds();
  for (let n = 0; n < events; n += 1) {
    const { time, key, value } = { time: n, key: 'key 0', value: n % 997 };
    const start = time - (time % 1000);
    let window = open.get(key);
    if (window && window.start !== start) {
      means.push({ key, start: window.start, mean: window.sum / window.n });
      window = undefined;
    }
    if (!window) {
      window = { start, sum: 0, n: 0 };
      open.set(key, window);
    }
    window.sum += value;
    window.n += 1;
  }
  return events / (cpuSeconds() - before);
}

/** Nanoseconds for a mean over the last `width` values that adds them all up each time. */
function recomputing(width: number): number {
  const values = Array.from({ length: width }, (_, n) => n % 997);
  const events = Math.ceil(3e7 / width);
  const before = cpuSeconds();
  let sums = 0;
  for (let n = 0; n < events; n += 1) {
    values[n % width] = n % 997;
    let sum = 0;
    for (const value of values) sum += value;
    sums += sum / width;
  }
  return ((cpuSeconds() - before) / events) * 1e9 + 0 * sums;
}

export const library: StreamCase = {
  name: 'library',
  async run(quick) {
    const events = quick ? 500_000 : 3_000_000;
    const common = { outOfOrderness: 0, aggregates: [{ op: 'mean' }] };
    const million = (rate: number) => rate / 1e6;
    const tumbling = medianRate({ type: 'tumbling', size: 1000, ...common }, events);
    const keyed = medianRate({ type: 'tumbling', size: 1000, ...common }, events, 1000);
    const rows: Row[] = [
      {
        what: 'library, tumbling mean, one key',
        value: million(tumbling),
        unit: 'M events/CPU-s',
        peer: { name: 'a plain loop without late events', value: million(byHand(events)) },
        bar: { atLeast: 1.5 },
      },
      {
        what: 'library, tumbling mean, 1,000 keys',
        value: million(keyed),
        unit: 'M events/CPU-s',
        peer: { name: 'one key', value: million(tumbling) },
      },
    ];
    for (const type of ['count', 'sliding']) {
      const cost = (width: number) => {
        const window = type === 'count' ? { count: width, step: 1 } : { size: width };
        return 1e9 / medianRate({ type, ...window, ...common }, Math.max(events, 400_000));
      };
      const [narrow, wide] = [cost(10), cost(100_000)];
      rows.push(
        {
          what: `library, ${type} by one, width 10`,
          value: narrow,
          unit: 'ns/event',
          peer: { name: 'adding up anew', value: recomputing(10) },
        },
        {
          what: `library, ${type} by one, width 100,000`,
          value: wide,
          unit: 'ns/event',
          peer: { name: 'adding up anew', value: recomputing(100_000) },
        },
        {
          what: `${type}: width 100,000 / width 10`,
          value: wide / narrow,
          unit: 'x',
          bar: { atMost: 1.5 },
        },
      );
    }
    return rows;
  },
};
