/** The controller over a series of measured latencies, beside solving anew for each slice with free moves. */
import {
  decide,
  evaluatePlacement,
  type Placement,
  type PlacementModel,
  place,
  randomModel,
} from '../../../lib/placement';
import { corner, type LatencySlices } from './latencies';

/** The name of the case. */
export const SERIES = 'series';

interface SeriesResult {
  /** Sum of the objectives over the slices, in proportion to solving always. */
  cost: number;
  /** Moves, in proportion to solving always. */
  moves: number;
  /** The cost of never moving. */
  fixedCost: number;
  /** Moves of solving always. */
  freeMoves: number;
}

const OPERATORS = 20;
const SITES = 10;
const MODELS = 3;
const BARS = { cost: 1.4, moves: 0.25 };
/** For one decision, as a Raspberry Pi can spare them every 30 s; solving always takes as many as it needs. */
const EVALUATIONS = 200_000;
/** Decisions of the controller while a slice lasts: one slice in ten of the data, hours apart. */
const ROUNDS_PER_SLICE = 10;

/** Prints a row for each random model, and says whether all keep the bars. */
export async function benchSeries(slices: LatencySlices, models = MODELS): Promise<boolean> {
  process.stdout.write(
    `\n${OPERATORS} operators at ${SITES} sites, ${slices.length} slices\n\n` +
      '| model | cost beside solving always | moves | of moves | cost of never moving | bars |\n' +
      '| --- | --- | --- | --- | --- | --- |\n',
  );
  let isGood = true;
  for (let seed = 1; seed <= models; seed += 1) {
    const { cost, moves, fixedCost, freeMoves } = await runSeries(slices, seed);
    const isKept = cost <= BARS.cost && moves <= BARS.moves;
    isGood &&= isKept;
    const cells = [
      `series, model ${seed}`,
      cost.toFixed(3),
      `${(100 * moves).toFixed(1)} %`,
      `${freeMoves}`,
      fixedCost.toFixed(3),
      isKept ? 'kept' : 'missed',
    ];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  }
  return isGood;
}

async function runSeries(slices: LatencySlices, seed: number): Promise<SeriesResult> {
  const models = slices.map((slice) => {
    const latencyMs = corner(slice, SITES).map((row) => row.map((ms) => ms && ms / 2));
    return randomModel({ operators: OPERATORS, sites: SITES, seed, latencyMs });
  });
  const first = (await place(models[0]!)).placement;
  let free = first;
  let kept = first;
  const sums = { free: 0, kept: 0, fixed: 0, freeMoves: 0, keptMoves: 0 };
  for (const model of models) {
    const { placement } = await place(model);
    sums.freeMoves += differences(free, placement);
    free = placement;
    sums.free += costOf(model, free);
    let cost = 0;
    let isSettled = false;
    for (let round = 0; round < ROUNDS_PER_SLICE; round += 1) {
      // While nothing changes, the same question has the same answer.
      if (!isSettled) {
        const { moves, placement: next } = await decide(
          { ...model, current: kept },
          { evaluations: EVALUATIONS },
        );
        isSettled = moves.length === 0;
        sums.keptMoves += moves.length;
        kept = next;
      }
      cost += costOf(model, kept) / ROUNDS_PER_SLICE;
    }
    sums.kept += cost;
    sums.fixed += costOf(model, first);
  }
  return {
    cost: sums.kept / sums.free,
    moves: sums.keptMoves / sums.freeMoves,
    fixedCost: sums.fixed / sums.free,
    freeMoves: sums.freeMoves,
  };
}

function costOf(model: PlacementModel, placement: Placement): number {
  const { objective, feasible, violations } = evaluatePlacement(model, placement);
  if (!feasible) throw new Error(`a placement breaks constraints: ${violations.join('; ')}`);
  return objective;
}

function differences(before: Placement, after: Placement): number {
  return Object.keys(after).filter((operator) => before[operator] !== after[operator]).length;
}
