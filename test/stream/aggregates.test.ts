import assert from 'node:assert/strict';
import {
  type AggregateSpec,
  isLate,
  parseWindowSpec,
  STANDARD_ERROR,
  settle,
  WindowEngine,
} from '../../lib/stream';
import { Random } from './reference/generator';

/** The answers over some values, in one tumbling window and, last pane, in a sliding one. */
async function answers(
  spec: AggregateSpec,
  values: unknown[],
): Promise<[tumbling: unknown, sliding: unknown]> {
  const both = [
    { type: 'tumbling', size: 1_000_000 },
    { type: 'sliding', size: 1_000_000 },
  ].map(async (type) => {
    const engine = new WindowEngine(parseWindowSpec({ ...type, aggregates: [{ ...spec, as: 'x' }] }));
    values.forEach((value, time) => {
      engine.add({ time, value });
    });
    engine.end();
    let answer: unknown;
    for (let output = engine.next(); output; output = engine.next()) {
      if (!isLate(output)) answer = (await settle(output)).result.x;
    }
    return answer;
  });
  return (await Promise.all(both)) as [unknown, unknown];
}

async function same(spec: AggregateSpec, values: unknown[], expected: unknown): Promise<void> {
  assert.deepEqual(await answers(spec, values), [expected, expected]);
}

describe('aggregates', () => {
  it('numeric ones skip what is not a finite number', async () => {
    const odd = [null, 'text', '12', Number.NaN, Number.POSITIVE_INFINITY, true, [3], {}, undefined];
    for (const op of ['mean', 'min', 'max', 'stddev', 'quantile']) await same({ op, q: 0.5 }, odd, null);
    await same({ op: 'sum' }, odd, 0);
    await same({ op: 'count' }, odd, 9);
    await same({ op: 'mean' }, [...odd, 4, 8], 6);
    await same({ op: 'min' }, [...odd, 4, 8], 4);
    await same({ op: 'max' }, [...odd, 4, 8], 8);
  });

  it('a field is a dotted path, and only own properties count', async () => {
    await same({ op: 'sum', field: 'a.b' }, [{ a: { b: 2 } }, { a: 3 }, { a: { b: 5 } }, 7, null], 7);
    await same({ op: 'last', field: 'constructor' }, [{ a: 1 }], null);
    await same({ op: 'first', field: 'list.1' }, [{ list: [4, 5] }], 5);
  });

  it('sums are compensated', async () => {
    await same({ op: 'sum' }, new Array(1000).fill(0.1), 100);
    await same({ op: 'sum' }, [1, 1e100, 1, -1e100], 2);
    await same({ op: 'mean' }, [1e16, 1, 1, -1e16], 0.5);
  });

  it('a sum or a deviation beyond the range of a double is null', async () => {
    await same({ op: 'sum' }, [1e308, 1e308], null);
    await same({ op: 'mean' }, [1e308, 1e308], null);
    await same({ op: 'stddev' }, [1e308, -1e308], null);
    await same({ op: 'max' }, [1e308, -1e308], 1e308);
  });

  it('stddev is that of a sample, without cancellation, null under two', async () => {
    await same({ op: 'stddev' }, [5], null);
    await same({ op: 'stddev' }, [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16], Math.sqrt(30));
  });

  it('first and last go by event time, a missing field is null', async () => {
    await same({ op: 'first', field: 'v' }, [{}, { v: 2 }], null);
    await same({ op: 'last', field: 'v' }, [{}, { v: 2 }], 2);
  });

  it('collect keeps what is missing as null', async () => {
    await same({ op: 'collect', field: 'v' }, [{ v: 1 }, {}, { v: null }, { v: [2] }], [1, null, null, [2]]);
  });

  it('distinct compares as JSON, whatever the order of properties', async () => {
    await same({ op: 'distinct' }, [1, '1', 1, true, { a: 1, b: 2 }, { b: 2, a: 1 }, null, [1]], 6);
    await same(
      { op: 'distinct' },
      Array.from({ length: 3000 }, (_, n) => n % 1000),
      1000,
    );
  });

  it('distinct is an estimate beyond 1,000 values, and stays so when joined', async () => {
    for (const n of [1_001, 5_000, 20_000, 200_000]) {
      const engine = new WindowEngine(
        parseWindowSpec({ type: 'session', gap: 10, aggregates: [{ op: 'distinct' }] }),
      );
      for (let value = 0; value < n; value += 1) {
        // Two sessions, which the last event joins.
        engine.add({ time: value % 2 === 0 ? 0 : 15, value: `value ${value}` });
      }
      engine.add({ time: 8, value: 'value 0' });
      engine.end();
      const pane = engine.next();
      assert(pane && !isLate(pane));
      const error = Math.abs((pane.result.distinct as number) / n - 1);
      assert(error < 3 * STANDARD_ERROR, `${n}: off by ${error}`);
    }
  });

  it('quantiles are within 1 % of the value at their rank', async () => {
    const random = new Random(7);
    const values = Array.from({ length: 1000 }, () => (random.next() - 0.3) * 10 ** random.whole(-12, 12));
    const sorted = [...values].sort((a, b) => a - b);
    for (const q of [0, 0.01, 0.25, 0.5, 0.9, 0.999, 1]) {
      for (const answer of await answers({ op: 'quantile', q }, values)) {
        const exact = sorted[Math.floor(q * 999)]!;
        assert(
          Math.abs((answer as number) - exact) <= 0.01 * Math.abs(exact),
          `q ${q}: ${answer}, not ${exact}`,
        );
      }
    }
    await same({ op: 'quantile', q: 0.5 }, [0, 0, 5], 0);
    for (const huge of [1e308, 5e-324, -1e308]) {
      const [answer] = await answers({ op: 'quantile', q: 0.5 }, [huge]);
      assert(Math.abs((answer as number) / huge - 1) <= 0.01, `${answer} for ${huge}`);
    }
  });

  it('topk gives the most frequent values, ties in the order of their text', async () => {
    await same(
      { op: 'topk', k: 2 },
      ['b', 'c', 'a', 'c', 'b', 'd'],
      [
        { value: 'b', count: 2 },
        { value: 'c', count: 2 },
      ],
    );
  });

  it('topk stays within its bound of memory and of error', async () => {
    const values = Array.from({ length: 60_000 }, (_, n) => (n % 3 === 0 ? 'often' : `rare ${n}`));
    const engine = new WindowEngine(
      parseWindowSpec({ type: 'tumbling', size: 1e6, aggregates: [{ op: 'topk', k: 1 }] }),
    );
    values.forEach((value, time) => {
      engine.add({ time, value });
    });
    engine.end();
    const pane = engine.next();
    assert(pane && !isLate(pane));
    const [{ value, count }] = pane.result.topk as [{ value: string; count: number }];
    assert.equal(value, 'often');
    assert(count <= 20_000 && count >= 20_000 - 60_000 / 10_000, `${count}`);
  });

  it('jsonata sees the collected values; nothing is null', async () => {
    await same({ op: 'jsonata', expr: '$max(t) - $min(t)' }, [{ t: 3 }, { t: 9 }], 6);
    await same({ op: 'jsonata', expr: '$sum($)', field: 't' }, [{ t: 3 }, { t: 9 }], 12);
    await same({ op: 'jsonata', expr: 'missing' }, [{ t: 3 }], null);
    await assert.rejects(answers({ op: 'jsonata', expr: '$sum("x")' }, [1]), {
      code: 'ERR_STREAM_EXPRESSION',
    });
  });

  it('anomaly compares a pane with the earlier ones of its key', async () => {
    const engine = new WindowEngine(
      parseWindowSpec({
        type: 'tumbling',
        size: 10,
        outOfOrderness: 0,
        aggregates: [{ op: 'anomaly', history: 4, z: 3, above: 1000 }],
      }),
    );
    const flags: unknown[] = [];
    [10, 11, 9, 10, 50, 2000, 10].forEach((value, n) => {
      engine.add({ time: n * 10, key: 'a', value });
      engine.add({ time: n * 10, key: 'b', value: 1 });
      for (let pane = engine.next(); pane; pane = engine.next()) {
        if (!isLate(pane) && pane.key === 'a')
          flags.push((pane.result.anomaly as { anomaly: boolean }).anomaly);
      }
    });
    assert.deepEqual(flags, [false, false, false, false, true, true]);
  });
});
