import assert from 'node:assert/strict';
import { evaluatePlacement, type Placement, type PlacementModel } from '../../lib/placement';
import { evaluateSites, scaleOf } from '../../lib/placement/model/evaluate';
import { narrow } from '../../lib/placement/model/feasibility';
import { compile } from '../../lib/placement/model/problem';
import { Random } from '../../lib/placement/search/random';
import { SearchState } from '../../lib/placement/search/state';
import { Reference } from './reference/reference';
import { smallModel } from './reference/small-models';

const MODELS = 300;

describe('placement, against the slow reference', () => {
  it('costs and feasibility are the same for random placements of random models', () => {
    let feasible = 0;
    let pathless = 0;
    eachModel((model, random, seed) => {
      const reference = new Reference(model);
      for (let draw = 0; draw < 12; draw += 1) {
        const placement = randomPlacement(model, random);
        const expected = reference.evaluate(placement);
        const actual = evaluatePlacement(model, placement);
        assert.equal(actual.feasible, expected.feasible, `seed ${seed}: ${actual.violations}`);
        if (expected.traffic === Number.POSITIVE_INFINITY) {
          pathless += 1;
          continue;
        }
        feasible += Number(expected.feasible);
        for (const name of ['objective', 'responseTimeMs', 'traffic', 'resources'] as const) {
          close(actual[name], expected[name], `seed ${seed}: ${name}`);
        }
      }
    });
    // The models must be worth the name of a test.
    assert.ok(feasible > 100 && pathless > 20, `${feasible} feasible, ${pathless} without path`);
  });

  it('differences add up to the full evaluation, move by move', () => {
    let met = 0;
    eachModel((model, random, seed) => {
      const problem = compile(model);
      const scale = scaleOf(problem);
      if (problem.candidates.some((sites) => sites.length === 0)) return;
      const state = new SearchState(
        problem,
        scale,
        problem.candidates.map((sites) => random.pick(sites)),
      );
      state.strictness = 3;
      for (let step = 0; step < 60; step += 1) {
        const operator = random.below(problem.operatorIds.length);
        const target = random.pick(problem.candidates[operator]!);
        const before = state.cost;
        const difference = state.probe(operator, target);
        assert.equal(state.cost, before, `seed ${seed}: a probe changes nothing`);
        state.move(operator, target);
        close(state.cost - before, difference, `seed ${seed} step ${step}`);
        const full = evaluateSites(problem, scale, state.site);
        assert.equal(state.feasible, full.feasible, `seed ${seed} step ${step}: ${full.violations}`);
        if (full.traffic === Number.POSITIVE_INFINITY) continue;
        close(state.objective, full.objective, `seed ${seed} step ${step}`);
        met += Number(full.feasible);
      }
    });
    assert.ok(met > 500, `${met} feasible placements met`);
  });

  it('what a state says after a recount is what it said before', () => {
    const problem = compile(smallModel(4, { operators: 6, sites: 4 }));
    const state = new SearchState(
      problem,
      scaleOf(problem),
      problem.candidates.map((sites) => sites[0]!),
    );
    const random = new Random(4);
    for (let step = 0; step < 20_000; step += 1) {
      const operator = random.below(6);
      state.move(operator, random.pick(problem.candidates[operator]!));
    }
    const { cost } = state;
    state.reset(Int32Array.from(state.site));
    close(state.cost, cost, 'drift');
  });

  it('narrowing removes no feasible placement', () => {
    let contradictions = 0;
    let removed = 0;
    eachModel((model, _random, seed) => {
      const problem = compile(model);
      const narrowed = narrow(problem);
      const best = new Reference(model).optimum();
      if (typeof narrowed === 'string') {
        contradictions += 1;
        assert.equal(best, undefined, `seed ${seed}: ${narrowed}`);
        return;
      }
      removed += problem.candidates.flatMap((all, at) =>
        [...all].slice(narrowed.candidates[at]!.length),
      ).length;
      if (!best) return;
      problem.operatorIds.forEach((id, operator) => {
        const site = problem.siteIds.indexOf(best.placement[id]!);
        assert.ok(narrowed.candidates[operator]!.includes(site), `seed ${seed}: ${id}`);
      });
    }, 80);
    assert.ok(contradictions > 5 && removed > 10, `${contradictions} contradictions, ${removed} removed`);
  });
});

function eachModel(
  visit: (model: PlacementModel, random: Random, seed: number) => void,
  count = MODELS,
): void {
  for (let seed = 0; seed < count; seed += 1) {
    const random = new Random(seed, 1);
    visit(smallModel(seed, { operators: 2 + random.below(4), sites: 1 + random.below(5) }), random, seed);
  }
}

function randomPlacement(model: PlacementModel, random: Random): Placement {
  return Object.fromEntries(
    model.operators.map(({ id, pin, allowed }) => {
      const sites = allowed?.length ? allowed : model.sites.map((site) => site.id);
      return [id, random.fraction() < 0.9 ? (pin ?? random.pick(sites)) : random.pick(model.sites).id];
    }),
  );
}

function close(actual: number, expected: number, message: string): void {
  const difference = Math.abs(actual - expected);
  assert.ok(difference <= 1e-9 * Math.max(1, Math.abs(expected)), `${message}: ${actual}, not ${expected}`);
}
