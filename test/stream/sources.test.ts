import { deepEqual } from 'node:assert/strict';
import { parseWindowSpec, WindowEngine } from '../../lib/stream';

describe('sources of a stream', () => {
  function sourcesAfter(spec: object, clock: number): string[] {
    const engine = new WindowEngine(parseWindowSpec({ type: 'tumbling', size: 10, ...spec }), {
      keyIdle: 100,
    });
    engine.advanceClock(1);
    for (const source of ['gone', 'there']) engine.add({ time: 5, source });
    engine.advanceClock(90);
    engine.add({ time: 6, source: 'there' });
    engine.advanceClock(clock);
    return engine.meta().watermark.sources.map(([name]) => name);
  }

  it('are forgotten when they have been idle for as long as a key may be', () => {
    const spec = { outOfOrderness: 0, idleTimeout: 20 };
    deepEqual(sourcesAfter(spec, 99), ['gone', 'there']);
    deepEqual(sourcesAfter(spec, 180), ['there']);
    deepEqual(sourcesAfter({ maxAhead: 50 }, 180), ['there']);
  });

  it('are kept while they hold the watermark up', () => {
    deepEqual(sourcesAfter({ outOfOrderness: 0 }, 1_000), ['gone', 'there']);
  });

  it('are not noted where nothing depends on them', () => {
    deepEqual(sourcesAfter({ idleTimeout: 20 }, 99), []);
  });

  it('have a limit: an event of one too many goes out, and the others go on', () => {
    const spec = parseWindowSpec({ type: 'tumbling', size: 10, outOfOrderness: 0 });
    const engine = new WindowEngine(spec, { keys: 2 });
    for (const source of ['a', 'b', 'c']) engine.add({ time: 5, source });
    deepEqual(engine.next(), { late: { time: 5, source: 'c' }, reason: 'limit' });
    engine.add({ time: 6, source: 'b' });
    deepEqual(engine.next(), undefined);
  });
});
