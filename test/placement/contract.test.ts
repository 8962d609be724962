import assert from 'node:assert/strict';
import { evaluatePlacement, type PlacementModel } from '../../lib/placement';

/** Three sites in a row, 10 ms and 20 ms apart; a camera, an operator, a dashboard. */
function row(change: Partial<PlacementModel> = {}): PlacementModel {
  return {
    sites: [
      { id: 'quay', cpu: 2, memory: 100 },
      { id: 'hall', cpu: 4, memory: 200, cost: 3 },
      { id: 'town', cpu: 8, memory: 400 },
    ],
    links: [
      { from: 'quay', to: 'hall', latencyMs: 10 },
      { from: 'hall', to: 'town', latencyMs: 20 },
    ],
    operators: [
      { id: 'camera', cpu: 1, memory: 10, pin: 'quay' },
      { id: 'reduce', cpu: 2, memory: 20 },
      { id: 'board', cpu: 1, memory: 10, pin: 'town' },
    ],
    streams: [
      { from: 'camera', to: 'reduce', rate: 10, bytes: 1000 },
      { from: 'reduce', to: 'board', rate: 1, bytes: 100 },
    ],
    weights: { latency: 1, traffic: 1 },
    ...change,
  };
}

const at = (reduce: string) => ({ camera: 'quay', reduce, board: 'town' });
const cost = (model: PlacementModel, reduce: string) => evaluatePlacement(model, at(reduce));

describe('placement contract', () => {
  it('R is the longest path of the sum of L over its streams', () => {
    assert.equal(cost(row(), 'hall').responseTimeMs, 30);
    const model = row();
    model.streams.push({ from: 'camera', to: 'board', rate: 0, bytes: 0 });
    assert.equal(cost(model, 'quay').responseTimeMs, 30);
    model.operators.push({ id: 'log', cpu: 0, memory: 0 });
    model.streams.push({ from: 'board', to: 'log', rate: 1, bytes: 1 });
    const there = evaluatePlacement(model, { ...at('hall'), log: 'quay' });
    assert.equal(there.responseTimeMs, 60);
  });

  it('T is the sum over streams of rate x bytes x L', () => {
    assert.equal(cost(row(), 'quay').traffic, 100 * 30);
    assert.equal(cost(row(), 'hall').traffic, 10_000 * 10 + 100 * 20);
    assert.equal(cost(row(), 'town').traffic, 10_000 * 30);
  });

  it('C is the mean of the sites’ cost by cpu, and 1 is the cost of a site that names none', () => {
    assert.equal(cost(row(), 'hall').resources, (1 + 2 * 3 + 1) / 4);
    assert.equal(cost(row(), 'quay').resources, 1);
    const idle = row();
    for (const operator of idle.operators) operator.cpu = 0;
    assert.equal(cost(idle, 'hall').resources, 0);
  });

  it('the objective weighs R / R0, T / T0 and C', () => {
    // R0 = 30 wherever reduce is, T0 = 3000 with reduce at the quay.
    assert.equal(cost(row(), 'quay').objective, 2);
    assert.equal(cost(row(), 'hall').objective, 1 + 102_000 / 3000);
    const model = row({ weights: { latency: 0.5, traffic: 0.25, resources: 2 } });
    assert.equal(cost(model, 'hall').objective, 0.5 + (0.25 * 102_000) / 3000 + 2 * 2);
  });

  it('R0 and T0 ignore capacity and allowed', () => {
    const model = row();
    model.sites[0]!.cpu = 1;
    model.operators[1]!.allowed = ['hall'];
    assert.equal(cost(model, 'hall').objective, 1 + 102_000 / 3000);
  });

  it('R0 is the mean of L over distinct ordered pairs where it would be 0, and T0 that times the bytes', () => {
    const model = row();
    for (const operator of model.operators) operator.pin = undefined;
    // L: 10, 30, 20 in each direction: mean 20.
    const { objective } = cost(model, 'hall');
    assert.equal(objective, 30 / 20 + 102_000 / (20 * 10_100));
  });

  it('R0 and T0 are 1 where they are still 0', () => {
    const model = row({ links: [], sites: [{ id: 'quay', cpu: 9, memory: 900 }] });
    model.operators[2]!.pin = 'quay';
    const { objective, feasible } = evaluatePlacement(model, {
      camera: 'quay',
      reduce: 'quay',
      board: 'quay',
    });
    assert.deepEqual([objective, feasible], [0, true]);
    const silent = row();
    for (const stream of silent.streams) stream.bytes = 0;
    assert.equal(cost(silent, 'hall').objective, 1);
  });

  it('pairs with no path are left out of R0, T0 and means', () => {
    const model = row();
    model.sites.push({ id: 'islet', cpu: 9, memory: 900 });
    assert.equal(cost(model, 'hall').objective, 1 + 102_000 / 3000);
    for (const operator of model.operators) operator.pin = undefined;
    assert.equal(cost(model, 'hall').objective, 30 / 20 + 102_000 / (20 * 10_100));
  });

  it('a stream with no path is infeasible, also when it carries nothing', () => {
    const model = row();
    model.sites.push({ id: 'islet', cpu: 9, memory: 900 });
    for (const stream of model.streams) stream.rate = 0;
    const { feasible, violations } = cost(model, 'islet');
    assert.equal(feasible, false);
    assert.match(violations[0]!, /stream camera -> reduce: no path from quay to islet/);
  });

  it('moveCost is paid for each operator whose site differs from current', () => {
    const current = { camera: 'quay', reduce: 'town', board: 'hall' };
    const model = row({ current, moveCost: 0.25 });
    assert.equal(cost(model, 'quay').objective, 2 + 2 * 0.25);
    assert.equal(cost(model, 'quay').moves, 2);
    assert.equal(cost(row({ current: { reduce: 'quay' }, moveCost: 0.25 }), 'quay').objective, 2);
    // A site that is gone is left by everyone; an operator that is gone moves no more.
    const gone = row({ current: { reduce: 'mill', old: 'hall' }, moveCost: 0.25 });
    assert.equal(cost(gone, 'quay').objective, 2.25);
  });

  it('links are symmetric unless the reverse is given too', () => {
    const model = row();
    model.links.push({ from: 'town', to: 'hall', latencyMs: 5 });
    assert.equal(cost(model, 'hall').responseTimeMs, 30);
    model.streams.reverse();
    model.operators[0]!.pin = 'town';
    model.operators[2]!.pin = 'quay';
    const back = evaluatePlacement(model, { camera: 'town', reduce: 'hall', board: 'quay' });
    assert.equal(back.responseTimeMs, 15);
  });

  it('L is the shortest path, not the direct link', () => {
    const model = row();
    model.links.push({ from: 'quay', to: 'town', latencyMs: 31 });
    assert.equal(cost(model, 'quay').responseTimeMs, 30);
    model.links[2]!.latencyMs = 29;
    assert.equal(cost(model, 'quay').responseTimeMs, 29);
  });

  it('cpu and memory hold within 1e-9', () => {
    const model = row();
    model.operators[1]!.cpu = 1 + 5e-10;
    assert.equal(cost(model, 'quay').feasible, true);
    model.operators[1]!.cpu = 1 + 2e-9;
    assert.deepEqual(cost(model, 'quay').violations, [`site quay: cpu ${2 + 2e-9} of 2`]);
    model.operators[1]!.cpu = 1;
    model.operators[1]!.memory = 90.1;
    assert.deepEqual(cost(model, 'quay').violations, ['site quay: memory 100.1 of 100']);
  });

  it('pins and allowed hold', () => {
    const model = row();
    model.operators[1]!.allowed = ['hall'];
    const allowed = { ...at('quay') };
    const roomy = { ...model, sites: model.sites.map((site) => ({ ...site, cpu: 9 })) };
    assert.deepEqual(evaluatePlacement(roomy, allowed).violations, ['operator reduce may not run at quay']);
    const moved = { camera: 'hall', reduce: 'hall', board: 'town' };
    assert.deepEqual(evaluatePlacement(roomy, moved).violations, ['operator camera may not run at hall']);
  });

  it('a link’s bandwidth holds the sum of rate x bytes x 8 / 1e6, per direction', () => {
    const model = row();
    model.links[0]!.bandwidthMbps = 0.08;
    assert.equal(cost(model, 'hall').feasible, true);
    model.streams.push({ from: 'camera', to: 'board', rate: 1, bytes: 1 });
    assert.deepEqual(cost(model, 'hall').violations, ['link quay -> hall: 0.080008 of 0.08 Mbit/s']);
    // The other direction has a load of its own.
    model.streams.pop();
    model.operators.push({ id: 'echo', cpu: 0, memory: 0, pin: 'quay' });
    model.streams.push({ from: 'reduce', to: 'echo', rate: 10, bytes: 1000 });
    assert.equal(evaluatePlacement(model, { ...at('hall'), echo: 'quay' }).feasible, true);
  });

  it('a load uses the path with the fewest links, then the smallest sequence of site ids', () => {
    const tie = (links: PlacementModel['links']): string[] => {
      const model: PlacementModel = {
        sites: ['a', 'b', 'c', 'd', 'Z'].map((id) => ({ id, cpu: 1, memory: 1 })),
        links: links.map((link) => ({ ...link, bandwidthMbps: 0 })),
        operators: [
          { id: 'x', cpu: 0, memory: 0 },
          { id: 'y', cpu: 0, memory: 0 },
        ],
        streams: [{ from: 'x', to: 'y', rate: 1, bytes: 1e6 }],
        weights: { latency: 1, traffic: 1 },
      };
      return evaluatePlacement(model, { x: 'a', y: 'd' }).violations.map((text) => text.split(':')[0]!);
    };
    const through = (site: string, first: number, second: number) => [
      { from: 'a', to: site, latencyMs: first },
      { from: site, to: 'd', latencyMs: second },
    ];
    assert.deepEqual(tie([...through('c', 1, 2), ...through('b', 2, 1)]), ['link a -> b', 'link b -> d']);
    assert.deepEqual(tie([...through('b', 2, 1), ...through('Z', 1, 2)]), ['link a -> Z', 'link Z -> d']);
    assert.deepEqual(tie([...through('b', 2, 1), { from: 'a', to: 'd', latencyMs: 3 }]), ['link a -> d']);
    // 0.1 + 0.2 is a little more than 0.3: that is rounding, not a longer path.
    const rounding = [
      { from: 'a', to: 'b', latencyMs: 0.1 },
      { from: 'b', to: 'c', latencyMs: 0.2 },
    ];
    assert.deepEqual(tie([...rounding, { from: 'c', to: 'd', latencyMs: 0.3 }, ...through('Z', 0.3, 0.3)]), [
      'link a -> Z',
      'link Z -> d',
    ]);
  });

  it('an operator at no site of the model is refused', () => {
    assert.throws(
      () => evaluatePlacement(row(), { camera: 'quay', reduce: 'mill', board: 'town' }),
      RangeError,
    );
    assert.throws(() => evaluatePlacement(row(), { camera: 'quay', board: 'town' }), /operator reduce/);
  });
});
