import assert from 'node:assert/strict';
import {
  type PlacementAnswer,
  PlacementInfeasibleError,
  PlacementNotFoundError,
  place,
  randomModel,
} from '../../lib/placement';
import { scaleOf } from '../../lib/placement/model/evaluate';
import { narrow } from '../../lib/placement/model/feasibility';
import { compile, type Problem } from '../../lib/placement/model/problem';
import { anneal } from '../../lib/placement/search/anneal';
import { allAtOneSite, greedy } from '../../lib/placement/search/baseline';
import { solve } from '../../lib/placement/solve/solve';
import { Reference } from './reference/reference';
import { smallModel } from './reference/small-models';

const quick = { seed: 0, seconds: undefined, evaluations: 6000, wantsProgress: false };

describe('placement, the optimum of small models', function () {
  this.timeout(120_000);

  it('branch and bound and HiGHS both reach the best of all placements, and know when there is none', async () => {
    const proven = { optimum: 0, infeasible: 0 };
    for (let seed = 0; seed < 60; seed += 1) {
      const model = smallModel(seed, {
        operators: 3 + (seed % 3),
        sites: 2 + (seed % 3),
        room: seed % 4 ? 1.6 : 1,
      });
      const best = new Reference(model).optimum();
      for (const exact of [false, true]) {
        const what = `seed ${seed}, ${exact ? 'HiGHS' : 'branch and bound'}`;
        let answer: PlacementAnswer;
        try {
          answer = await solve({ ...quick, model, exact });
        } catch (error) {
          assert.ok(error instanceof PlacementInfeasibleError, `${what}: ${error}`);
          assert.equal(best, undefined, `${what}: ${error.message}`);
          proven.infeasible += 1;
          continue;
        }
        assert.ok(best, `${what}: found what the reference calls infeasible`);
        const told = new Reference(model).evaluate(answer.placement);
        assert.ok(told.feasible && answer.feasible, what);
        near(answer.objective, told.objective, `${what}: what it says of its answer`);
        near(answer.objective, best.cost.objective, what);
        assert.equal(answer.optimal, true, what);
        assert.equal(answer.solver, exact ? 'highs' : 'branch-and-bound');
        if (!exact) continue;
        near(answer.bound!, best.cost.objective, `${what}: bound`);
        assert.ok(answer.bound! <= answer.objective, what);
        proven.optimum += 1;
      }
    }
    assert.ok(proven.optimum > 20 && proven.infeasible > 10, JSON.stringify(proven));
  });

  it('branch and bound meets HiGHS on 10 operators and 5 sites, also where annealing misses the optimum', async () => {
    // Annealing ends 12 % above the optimum of the last one, whatever its seed.
    for (const seed of [1, 8]) {
      const model = randomModel({ operators: 10, sites: 5, seed });
      const answer = await place(model);
      const exact = await place(model, { exact: true });
      assert.equal(exact.optimal, true);
      near(answer.objective, exact.objective, `seed ${seed}`);
    }
  });

  it('without a weight on latency there is no path to count, and still an optimum', async () => {
    const model = {
      ...randomModel({ operators: 6, sites: 4, seed: 9 }),
      weights: { latency: 0, traffic: 1 },
    };
    const best = new Reference(model).optimum()!;
    near((await place(model, { exact: true })).objective, best.cost.objective, 'exact');
    near((await place(model)).objective, best.cost.objective, 'annealing');
  });

  it('a model where every operator is pinned needs no search', async () => {
    const model = smallModel(11, { operators: 3, sites: 3, room: 9 });
    const free = { ...model, links: [], streams: [] };
    for (const operator of free.operators) {
      operator.pin = model.sites[0]!.id;
      operator.allowed = undefined;
      operator.cpu = 0;
      operator.memory = 0;
    }
    for (const exact of [false, true]) {
      const { placement, optimal } = await place(free, { exact });
      assert.deepEqual(new Set(Object.values(placement)), new Set([model.sites[0]!.id]));
      assert.equal(optimal, true);
    }
  });

  it('a model without operators has an empty placement', async () => {
    const model = { ...smallModel(1, { operators: 0, sites: 2 }), streams: [] };
    for (const exact of [false, true]) {
      const { placement, objective } = await place(model, { exact });
      assert.deepEqual([placement, objective], [{}, 0]);
    }
  });
});

describe('placement search', () => {
  it('the same seed gives the same answer', async () => {
    const model = randomModel({ operators: 30, sites: 12, seed: 5 });
    const run = async (seed: number) => {
      const { seconds, ...answer } = await place(model, { seed, evaluations: 20_000 });
      assert.ok(seconds > 0);
      return answer;
    };
    const first = await run(3);
    assert.deepEqual(await run(3), first);
    const others = await Promise.all([4, 5, 6, 7].map(run));
    assert.ok(others.some((other) => other.objective !== first.objective));
  });

  it('never ends behind greedy placement or all at one site', () => {
    for (let seed = 0; seed < 12; seed += 1) {
      const problem = narrow(
        compile(randomModel({ operators: 25, sites: 8, seed, utilisation: 0.15 })),
      ) as Problem;
      const scale = scaleOf(problem);
      const baselines = [greedy(problem, scale), allAtOneSite(problem, scale)].filter(
        (each) => each !== undefined,
      );
      assert.ok(baselines.length > 0);
      // Hardly any search: what is there from the start must not be lost.
      const starts = baselines.map(({ sites }) => sites);
      const found = anneal(problem, scale, starts, { seed, evaluations: 1, expired: () => true })!;
      for (const { objective } of baselines) assert.ok(found.objective <= objective + 1e-12, `seed ${seed}`);
    }
  });

  it('greedy placement and all at one site are feasible and cost what they say', () => {
    let single = 0;
    for (let seed = 0; seed < 40; seed += 1) {
      const model = smallModel(seed, { operators: 4, sites: 4, room: 6 });
      const problem = narrow(compile(model));
      if (typeof problem === 'string') continue;
      const reference = new Reference(model);
      const scale = scaleOf(problem);
      for (const baseline of [greedy(problem, scale), allAtOneSite(problem, scale)]) {
        if (!baseline) continue;
        const placement = Object.fromEntries(
          problem.operatorIds.map((id, at) => [id, problem.siteIds[baseline.sites[at]!]!]),
        );
        const { feasible, objective } = reference.evaluate(placement);
        assert.ok(feasible, `seed ${seed}`);
        near(objective, baseline.objective, `seed ${seed}`);
      }
      const together = allAtOneSite(problem, scale);
      const expected = model.sites
        .map(({ id }) => Object.fromEntries(model.operators.map((each) => [each.id, each.pin ?? id])))
        .filter((placement) => reference.feasible(placement))
        .map((placement) => reference.evaluate(placement).objective);
      single += expected.length;
      if (expected.length === 0) assert.equal(together, undefined);
      else near(together!.objective, Math.min(...expected), `seed ${seed}`);
    }
    assert.ok(single > 10);
  });

  it('finds a placement in a tight model that greedy placement misses', async () => {
    // Four operators of 3 and four of 2 fill four sites of 5 to the brim.
    const sizes = [2, 3, 2, 3, 2, 3, 2, 3];
    const model = {
      sites: ['a', 'b', 'c', 'd'].map((id) => ({ id, cpu: 5, memory: 1 })),
      links: ['b', 'c', 'd'].map((to) => ({ from: 'a', to, latencyMs: 1 })),
      operators: sizes.map((cpu, index) => ({ id: `o${index}`, cpu, memory: 0 })),
      streams: [],
      weights: { latency: 1, traffic: 1 },
    };
    assert.equal((await place(model)).feasible, true);
  });

  it('seconds cut the search', async () => {
    const model = randomModel({ operators: 40, sites: 20, seed: 1 });
    const { feasible, seconds } = await place(model, { seconds: 0.2, evaluations: 1e12 });
    assert.equal(feasible, true);
    assert.ok(seconds > 0.1);
  });

  it('HiGHS out of time: the best so far, with a bound, and no claim', async () => {
    const model = randomModel({ operators: 40, sites: 20, seed: 1 });
    const answer = await place(model, { exact: true, seconds: 2, evaluations: 40_000 });
    assert.equal(answer.feasible, true);
    assert.equal(answer.optimal, false);
    if (answer.bound !== undefined) assert.ok(answer.bound < answer.objective);
  });

  it('a model too large for HiGHS is annealed, and nothing is claimed', async () => {
    const model = randomModel({ operators: 150, sites: 100, seed: 1 });
    const { feasible, optimal, solver } = await place(model, { exact: true, evaluations: 20_000 });
    assert.deepEqual([feasible, optimal, solver], [true, false, 'annealing']);
  });

  it('out of time before anything was found: not found, and not called infeasible', async () => {
    const model = randomModel({ operators: 40, sites: 20, seed: 1, utilisation: 0.99 });
    // Nothing fits everywhere, and no time is left to prove or to find anything.
    await assert.rejects(place(model, { seconds: 1e-6 }), (error: PlacementNotFoundError) => {
      assert.ok(error instanceof PlacementNotFoundError);
      assert.equal(error.code, 'ERR_PLACEMENT_NOT_FOUND');
      return true;
    });
  });
});

function near(actual: number, expected: number, message: string): void {
  const difference = Math.abs(actual - expected);
  assert.ok(difference <= 1e-7 * Math.max(1, Math.abs(expected)), `${message}: ${actual}, not ${expected}`);
}
