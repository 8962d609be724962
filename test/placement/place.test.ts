import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { AbortedError, InvalidArgumentError, type Progress } from '../../lib/base';
import { type PlacementAnswer, place, randomModel } from '../../lib/placement';
import { Random } from '../../lib/placement/search/random';
import { garua, garuaJson } from '../support/garua';
import { temporaryFolder } from '../support/temporary';

describe('place', () => {
  const large = randomModel({ operators: 60, sites: 20, seed: 2 });

  it('ends by its signal, before and during the search', async () => {
    await assert.rejects(place(large, { signal: AbortSignal.abort() }), AbortedError);
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    await assert.rejects(
      place(large, { signal: controller.signal, onProgress, evaluations: 1e12 }),
      AbortedError,
    );
    // HiGHS cannot be asked to stop: its thread is ended.
    const later = AbortSignal.timeout(1500);
    await assert.rejects(
      place(large, { signal: later, exact: true, evaluations: 1000, seconds: 500 }),
      AbortedError,
    );
  });

  it('reports progress in steps', async () => {
    const seen: Progress[] = [];
    await place(large, { evaluations: 300_000, onProgress: (progress) => seen.push(progress) });
    assert.ok(seen.length > 0);
    for (const { phase, done, total, unit } of seen) {
      assert.deepEqual([phase, total, unit], ['placing', 300_000, 'steps']);
      assert.ok(done <= total);
    }
  });

  it('leaves the event loop free: timers go on during the search', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await place(large, { evaluations: 400_000 });
    clearInterval(timer);
    assert.ok(turns > 10, `${turns} turns`);
  });

  it('refuses options that cannot be', async () => {
    for (const options of [
      { seed: -1 },
      { seed: 0.5 },
      { seconds: 0 },
      { seconds: Number.NaN },
      { evaluations: 0 },
    ]) {
      await assert.rejects(place(large, options), InvalidArgumentError);
    }
  });
});

describe('randomModel', () => {
  it('gives the same model for the same seed, and another for another', () => {
    const options = { operators: 12, sites: 6, bandwidth: true };
    assert.deepEqual(randomModel({ ...options, seed: 1 }), randomModel({ ...options, seed: 1 }));
    assert.notDeepEqual(randomModel({ ...options, seed: 1 }), randomModel({ ...options, seed: 2 }));
  });

  it('takes measured latencies, and leaves out what was not measured', () => {
    const latencyMs = [
      [0, 5, null],
      [6, 0, 7],
      [null, 8, 0],
    ];
    const { links } = randomModel({ operators: 5, sites: 3, seed: 1, latencyMs });
    const seen = links.map(({ from, to, latencyMs: latency }) => `${from} ${to} ${latency}`);
    assert.deepEqual(seen, ['site-1 site-2 5', 'site-2 site-1 6', 'site-2 site-3 7', 'site-3 site-2 8']);
  });
});

describe('Random', () => {
  it('is even, and other seeds and streams give other numbers', () => {
    const counts = new Array(10).fill(0);
    const random = new Random(1);
    for (let draw = 0; draw < 20_000; draw += 1) counts[random.below(10)] += 1;
    for (const count of counts) assert.ok(Math.abs(count - 2000) < 250, counts.join());
    const first = (seed: number, stream?: number) => new Random(seed, stream).bits();
    const firsts = [first(0), first(1), first(2 ** 32), first(2 ** 40), first(0, 1), first(1, 1)];
    assert.equal(new Set(firsts).size, firsts.length);
    assert.equal(first(7, 3), first(7, 3));
  });
});

describe('garua place', () => {
  const folder = temporaryFolder();
  const data = folder.join('data');
  const file = (name: string, content: unknown) => {
    const path = folder.join(name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const model = randomModel({ operators: 6, sites: 3, seed: 3 });

  it('prints the contract’s document, the same for the same seed', async () => {
    const path = file('model.json', model);
    const { seconds, ...answer } = await garuaJson<PlacementAnswer>(data, 'place', path, '--seed', '7');
    assert.ok(seconds >= 0);
    assert.deepEqual(Object.keys(answer).sort(), [
      'feasible',
      'objective',
      'optimal',
      'placement',
      'resources',
      'responseTimeMs',
      'solver',
      'traffic',
    ]);
    assert.deepEqual(
      Object.keys(answer.placement),
      model.operators.map(({ id }) => id),
    );
    const { seconds: _seconds, ...again } = await garuaJson<PlacementAnswer>(
      data,
      'place',
      path,
      '--seed',
      '7',
    );
    assert.deepEqual(again, answer);
    const exact = await garuaJson<PlacementAnswer>(data, 'place', path, '--exact', '--seconds', '60');
    assert.deepEqual([exact.optimal, exact.solver], [true, 'highs']);
    assert.ok(exact.bound! <= exact.objective && exact.objective <= answer.objective + 1e-9);
  });

  it('prints a table for people', async () => {
    const { status, stdout } = await garua(data, 'place', file('model.json', model));
    assert.equal(status, 0);
    assert.match(stdout, /^OPERATOR +SITE\noperator-1 +site-\d\n/);
    assert.match(stdout, /objective [\d.]+ \(nothing is better\), response time/);
  });

  it('wrong usage: status 2', async () => {
    const path = file('model.json', model);
    const wrong = [
      [],
      [path, path],
      [path, '--seed', 'x'],
      [path, '--seed', '1.5'],
      [path, '--seed', ''],
      [path, '--seconds', '0'],
      [path, '--seconds', 'soon'],
      [path, '--fast'],
    ];
    for (const words of wrong) {
      const { status, stdout } = await garua(data, 'place', ...words);
      assert.deepEqual([status, stdout], [2, ''], words.join(' '));
    }
  });

  it('a model that cannot be read or used: status 1 with a code', async () => {
    const cycle = {
      ...model,
      streams: [
        ...model.streams,
        ...model.streams.map(({ from, to }) => ({ from: to, to: from, rate: 1, bytes: 1 })),
      ],
    };
    const files: [path: string, message: RegExp][] = [
      [folder.join('none.json'), /cannot be read/],
      [file('broken.json', '{"sites"'), /is not JSON/],
      [file('wrong.json', { ...model, sites: 3 }), /sites must be a list/],
      [file('cycle.json', cycle), /streams form a cycle/],
    ];
    for (const [path, message] of files) {
      const { status, stdout, stderr } = await garua(data, 'place', path, '--json');
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, /^error ERR_PLACEMENT_MODEL: .*\nhint: .+\n$/);
      assert.match(stderr, message);
    }
  });

  it('an infeasible model: status 1, and the constraint by name', async () => {
    const infeasible = {
      ...model,
      operators: model.operators.map((each) => ({ ...each, cpu: each.cpu + 50 })),
    };
    const { status, stdout, stderr } = await garua(
      data,
      'place',
      file('infeasible.json', infeasible),
      '--json',
    );
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^error ERR_PLACEMENT_INFEASIBLE: operator operator-\d needs cpu 50/);
  });
});
