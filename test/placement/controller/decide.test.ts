import assert from 'node:assert/strict';
import { evaluatePlacement, type PlacementModel, randomModel } from '../../../lib/placement';
import { type DecideOptions, decide, explain } from '../../../lib/placement/controller';

/** A camera at Hill, an alarm at Quay, and two operators between them that thin the stream out. */
function model(properties: Partial<PlacementModel> = {}): PlacementModel {
  return {
    sites: ['Hill', 'Quay', 'Far'].map((id) => ({ id, cpu: 4, memory: 1000 })),
    links: [
      { from: 'Hill', to: 'Quay', latencyMs: 20 },
      { from: 'Quay', to: 'Far', latencyMs: 30 },
      { from: 'Hill', to: 'Far', latencyMs: 30 },
    ],
    operators: [
      { id: 'camera', cpu: 0.1, memory: 10, pin: 'Hill' },
      { id: 'reduce', cpu: 0.5, memory: 10 },
      { id: 'window', cpu: 0.5, memory: 10 },
      { id: 'alarm', cpu: 0.1, memory: 10, pin: 'Quay' },
    ],
    streams: [
      { from: 'camera', to: 'reduce', rate: 10, bytes: 100_000 },
      { from: 'reduce', to: 'window', rate: 10, bytes: 4000 },
      { from: 'window', to: 'alarm', rate: 1, bytes: 100 },
    ],
    weights: { latency: 0.5, traffic: 0.5 },
    current: { camera: 'Hill', reduce: 'Hill', window: 'Hill', alarm: 'Quay' },
    ...properties,
  };
}

const at = (reduce: string, window: string) => ({ camera: 'Hill', reduce, window, alarm: 'Quay' });

/** Small models need no long search. */
const decided = (of: PlacementModel, options: DecideOptions = {}) =>
  decide(of, { evaluations: 5000, ...options });

describe('placement, decisions of the controller', () => {
  it('leave everything where it is when that is best', async () => {
    const decision = await decided(model());
    assert.deepEqual(decision.moves, []);
    assert.deepEqual(explain(decision), ['everything stays: no better place was found']);
    assert.equal(decision.before, decision.after);
  });

  it('move what gains, and say in plain words what it saves', async () => {
    const decision = await decided(model({ current: at('Far', 'Hill') }));
    assert.deepEqual(
      decision.moves.map(({ operator, from, to }) => [operator, from, to]),
      [['reduce', 'Far', 'Hill']],
    );
    assert.deepEqual(decision.placement, at('Hill', 'Hill'));
    assert.deepEqual(explain(decision), ['reduce moved to Hill: saves 60 ms and 1.0 MB/s']);
  });

  it('move at most so many at a time, those that gain most first, and come to the same end', async () => {
    let current: Record<string, string> = at('Far', 'Far');
    const first = await decided(model({ current }), { mostMoves: 1 });
    assert.deepEqual(first.moves.length, 1);
    assert.equal(first.wanted, 2);
    for (let round = 0; round < 4; round += 1) {
      current = (await decided(model({ current }), { mostMoves: 1 })).placement;
    }
    assert.deepEqual(current, at('Hill', 'Hill'));
  });

  it('move nothing for a gain that does not pay for the move within the horizon', async () => {
    const gaining = model({ current: at('Hill', 'Far') });
    const patient = await decided(gaining, { moveSeconds: 10, horizonSeconds: 600 });
    assert.equal(patient.moves.length, 1);
    const hasty = await decided(gaining, { moveSeconds: 10, horizonSeconds: 1 });
    assert.deepEqual(hasty.moves, []);
  });

  it('move nothing for a gain within the hysteresis', async () => {
    const nearly = model({ current: at('Hill', 'Quay'), weights: { latency: 1, traffic: 0.01 } });
    const options = { moveSeconds: 0 };
    assert.equal((await decided(nearly, { ...options, hysteresis: 0 })).moves.length, 1);
    const decision = await decided(nearly, { ...options, hysteresis: 0.9 });
    assert.deepEqual(decision.moves, []);
    assert.deepEqual(explain(decision), ['everything stays: moving would gain less than it costs']);
  });

  it('move what cannot stay, whatever it costs and however many', async () => {
    const sites = model().sites.filter(({ id }) => id !== 'Far');
    const links = model().links.filter(({ to }) => to !== 'Far');
    const gone = model({ sites, links, current: at('Far', 'Far') });
    const decision = await decided(gone, { mostMoves: 1, moveSeconds: 1e6, horizonSeconds: 1 });
    assert.equal(decision.moves.filter(({ isForced }) => isForced).length, 2);
    assert.equal(decision.before, undefined);
    assert.match(explain(decision)[0]!, /^(reduce|window) moved to Hill: it cannot stay at Far$/);
  });

  it('place what runs nowhere yet', async () => {
    const decision = await decided(model({ current: { camera: 'Hill', alarm: 'Quay' } }));
    assert.deepEqual(explain(decision).sort(), ['reduce placed at Hill', 'window placed at Hill']);
  });

  it('relieve a site that has become too small', async () => {
    const sites = model().sites.map((site) => (site.id === 'Hill' ? { ...site, cpu: 0.7 } : site));
    const decision = await decided(model({ sites }), { moveSeconds: 1e6, horizonSeconds: 1 });
    assert.ok(evaluatePlacement(model({ sites }), decision.placement).feasible);
    assert.deepEqual(
      decision.moves.map(({ operator, to }) => [operator, to]),
      [['window', 'Quay']],
    );
  });

  it('end at a feasible placement that is better by more than the moves cost, in random models', async () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const { operators, sites, ...rest } = randomModel({ operators: 8, sites: 4, seed });
      const start = randomModel({ operators: 8, sites: 4, seed });
      const first = await decided({ ...start, current: {} }, { mostMoves: 8, evaluations: 20_000 });
      // Other latencies than those that it was placed for.
      const links = rest.links.map((link, index) => ({
        ...link,
        latencyMs: link.latencyMs * (1 + (index % 3)),
      }));
      const changed = { ...rest, operators, sites, links, current: first.placement };
      const options = { moveSeconds: 30, horizonSeconds: 600, evaluations: 20_000 };
      const decision = await decided(changed, options);
      assert.ok(evaluatePlacement(changed, decision.placement).feasible);
      assert.ok(decision.moves.length <= 2);
      const gain = decision.before! - decision.after;
      const least = decision.moves.length * (30 / 600) * decision.before!;
      assert.ok(gain >= least - 1e-9, `seed ${seed}: ${gain} for ${decision.moves.length} moves`);
    }
  });
});
