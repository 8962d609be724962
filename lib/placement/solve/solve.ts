import type { Progress } from '../../base';
import { PlacementInfeasibleError, PlacementNotFoundError } from '../errors';
import { solveWithHighs } from '../exact/highs';
import { PlacementProgram, programSize } from '../exact/placement-program';
import { proveInfeasible } from '../exact/prove';
import { evaluateSites, type Scale, scaleOf } from '../model/evaluate';
import { narrow } from '../model/feasibility';
import { parsePlacementModel, parsePlacementText } from '../model/parse';
import { compile, type Problem } from '../model/problem';
import type { PlacementAnswer } from '../placement';
import { anneal } from '../search/anneal';
import { allAtOneSite, type Candidate, greedy, placeInTurn } from '../search/baseline';
import { exhaust } from '../search/exhaust';
import type { Job } from './job';

/** What `exact` takes when nothing is said. */
export const EXACT_SECONDS = 60;
/** What a proof that nothing is feasible may take. */
const PROOF_SECONDS = 20;
/** Columns up to which HiGHS is asked: more would take gigabytes. */
const LARGEST_PROGRAM = 1_000_000;
/** How near to the bound counts as proven, relative to the objective. */
const PROVEN = 1e-8;
/** Operators up to which all placements are looked at, and steps times sites that may take: a tenth of a second. */
const MOST_EXHAUSTED = 16;
const MOST_LOOKS = 200_000;
/** Share of its usual evaluations that annealing gets when HiGHS goes on from there. */
const WARM_UP = 0.5;

export interface SolveEvents {
  onProgress?: ((progress: Progress) => void) | undefined;
  /** The best answer so far, before a step that may not come to its end. */
  onIncumbent?: ((answer: PlacementAnswer) => void) | undefined;
}

/**
 * Finds a placement. Blocks the thread: for worker threads.
 * @throws {PlacementModelError} {@link PlacementInfeasibleError} {@link PlacementNotFoundError}
 */
export async function solve(job: Job, events: SolveEvents = {}): Promise<PlacementAnswer> {
  return new Solution(job, events).run();
}

class Solution {
  readonly #begin = performance.now();
  readonly #seconds: number;

  constructor(
    private readonly job: Job,
    private readonly events: SolveEvents,
  ) {
    this.#seconds = job.seconds ?? (job.exact ? EXACT_SECONDS : Number.POSITIVE_INFINITY);
  }

  async run(): Promise<PlacementAnswer> {
    const { model } = this.job;
    const problem = compile(
      typeof model === 'string' ? parsePlacementText(model) : parsePlacementModel(model),
    );
    const narrowed = narrow(problem);
    if (typeof narrowed === 'string') throw new PlacementInfeasibleError(narrowed);
    const scale = scaleOf(problem);
    const { found, isOptimal } = this.#search(narrowed, scale);
    if (this.job.exact) return this.#prove(narrowed, scale, found);
    if (found && isOptimal) {
      return this.#answer(problem, scale, found, { solver: 'branch-and-bound', optimal: true });
    }
    if (found) return this.#answer(problem, scale, found, { solver: 'annealing', optimal: false });
    throw await this.#failure(narrowed);
  }

  /** Both baselines start the search, so that it never ends behind them. */
  #search(problem: Problem, scale: Scale): { found: Candidate | undefined; isOptimal: boolean } {
    const starts = [greedy(problem, scale)?.sites, allAtOneSite(problem, scale)?.sites].filter(
      (sites) => sites !== undefined,
    );
    if (starts.length === 0) starts.push(placeInTurn(problem, scale, [...problem.operatorIds.keys()]));
    const usual = this.job.evaluations ?? evaluationsFor(problem);
    const evaluations = Math.ceil(this.job.exact ? usual * WARM_UP : usual);
    const { onProgress } = this.events;
    const expired = () => this.#left() <= 0;
    const exhausted = this.#exhaust(problem, scale, starts);
    if (exhausted) return { found: exhausted, isOptimal: true };
    const found = anneal(problem, scale, starts, {
      seed: this.job.seed,
      evaluations,
      expired,
      onProgress: onProgress && ((done) => onProgress(progressOf(done, evaluations))),
    });
    return { found, isOptimal: false };
  }

  /** Of a small model all placements are looked at. */
  #exhaust(problem: Problem, scale: Scale, starts: Int32Array[]): Candidate | undefined {
    if (problem.operatorIds.length > MOST_EXHAUSTED) return undefined;
    const known = starts
      .flatMap((sites) => this.#checked(problem, scale, sites) ?? [])
      .sort((one, other) => one.objective - other.objective)[0];
    const expired = () => this.#left() <= 0;
    const steps = Math.ceil(MOST_LOOKS / problem.siteIds.length);
    const { best, isComplete } = exhaust(problem, scale, known, { steps, expired });
    return isComplete && best ? this.#checked(problem, scale, best.sites) : undefined;
  }

  async #prove(problem: Problem, scale: Scale, found: Candidate | undefined): Promise<PlacementAnswer> {
    if (found) {
      const { onIncumbent } = this.events;
      onIncumbent?.(this.#answer(problem, scale, found, { solver: 'annealing', optimal: false }));
    }
    if (programSize(problem, scale) > LARGEST_PROGRAM) {
      if (!found) throw await this.#failure(problem);
      return this.#answer(problem, scale, found, { solver: 'annealing', optimal: false });
    }
    const program = new PlacementProgram(problem, scale);
    const { status, columns, bound } = await solveWithHighs(program.data(), {
      seconds: Math.max(this.#left(), 0.01),
      start: found && program.start(found.sites),
    });
    if (status === 'infeasible' && !found) throw await this.#failure(problem);
    const proven = columns && this.#checked(problem, scale, program.sites(columns));
    const isBetter = proven && (!found || proven.objective < found.objective);
    const best = isBetter ? proven : found;
    if (!best) throw new PlacementNotFoundError();
    const isAttained = best.objective <= bound + PROVEN * Math.max(1, best.objective);
    const isOptimal = isAttained || (status === 'optimal' && proven !== undefined);
    return this.#answer(problem, scale, best, {
      solver: isBetter || isOptimal ? 'highs' : 'annealing',
      optimal: isOptimal,
      // Rounding must not put the bound above what is attained.
      ...(Number.isFinite(bound) ? { bound: Math.min(bound, best.objective) } : {}),
    });
  }

  /** HiGHS allows itself a tolerance, the contract another. */
  #checked(problem: Problem, scale: Scale, sites: Int32Array): Candidate | undefined {
    const { feasible, objective } = evaluateSites(problem, scale, sites);
    return feasible ? { sites, objective } : undefined;
  }

  async #failure(problem: Problem): Promise<Error> {
    const reason = await proveInfeasible(problem, Math.min(PROOF_SECONDS, this.#left()));
    return reason === undefined ? new PlacementNotFoundError() : new PlacementInfeasibleError(reason);
  }

  #answer(
    problem: Problem,
    scale: Scale,
    { sites }: Candidate,
    how: Pick<PlacementAnswer, 'solver' | 'optimal' | 'bound'>,
  ): PlacementAnswer {
    const { objective, responseTimeMs, traffic, resources, feasible } = evaluateSites(problem, scale, sites);
    // The search keeps to half the tolerance and counts anew often: only a model at its very edge gets here.
    if (!feasible) throw new PlacementNotFoundError();
    const placement = problem.modelOrder.map((operator): [string, string] => [
      problem.operatorIds[operator]!,
      problem.siteIds[sites[operator]!]!,
    ]);
    return {
      placement: Object.fromEntries(placement),
      objective,
      responseTimeMs,
      traffic,
      resources,
      feasible,
      ...how,
      seconds: (performance.now() - this.#begin) / 1000,
    };
  }

  #left(): number {
    return this.#seconds - (performance.now() - this.#begin) / 1000;
  }
}

/**
 * Enough for the size, by measurement: up to 20 operators at 10 sites annealing finds the optimum, beyond
 * that the gain of more evaluations levels off, and in a large model each costs more.
 */
export function evaluationsFor({ operatorIds, siteIds }: Problem): number {
  const size = operatorIds.length * siteIds.length;
  const useful = Math.min(60 * size ** 2, 2e6 * Math.max(1, size / 1000) ** 0.7);
  const affordable = 2.5e9 / Math.max(1, operatorIds.length);
  return Math.round(Math.max(1e5, Math.min(useful, affordable)));
}

function progressOf(done: number, total: number): Progress {
  return { phase: 'placing', done: Math.min(done, total), total, unit: 'steps' };
}
