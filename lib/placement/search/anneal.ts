import type { Scale } from '../model/evaluate';
import type { Problem } from '../model/problem';
import type { Candidate } from './baseline';
import { Neighbourhood } from './neighbourhood';
import { Random } from './random';
import { SearchState } from './state';

export interface SearchBudget {
  seed: number;
  /** Changes of a placement to look at, over all restarts. */
  evaluations: number;
  /** Ends the search early; asked now and then. */
  expired(): boolean;
  /** Evaluations done so far. */
  onProgress?(done: number): void;
}

/** What a run needs per operator to cool slowly enough; the evaluations decide how many runs there are. */
const EVALUATIONS_PER_OPERATOR = 8000;
const FEWEST_RUNS = 4;
const MOST_RUNS = 12;
/** Evaluations between two looks at clock and temperature. */
const STRIDE = 128;
/** Changes that are sampled to learn what a typical one costs. */
const SAMPLES = 256;
/** Temperatures as multiples of the typical change of the objective. */
const HOT = 0.1;
const WARM = 0.05;
const COLD = 0.0004;
/** What a unit of violation costs, in typical changes: at first, at least and at most. */
const FIRST_PRICE = 1;
const LOWEST_PRICE = 0.01;
const HIGHEST_PRICE = 50;
/** How fast that price follows the state of the search. */
const ADAPTATION = 0.05;

/**
 * Simulated annealing with restarts (Kirkpatrick, Gelatt and Vecchi, 1983). Constraints may be broken on the
 * way, at a price that falls while they hold and rises while they do not, which keeps the search at the edge
 * of the feasible (strategic oscillation; Glover, 1977). Runs begin by turns hot at one of the given starts
 * and warm at the best placement found so far. Gives the best feasible placement met, if any.
 */
export function anneal(
  problem: Problem,
  scale: Scale,
  starts: Int32Array[],
  budget: SearchBudget,
): Candidate | undefined {
  return new Annealing(problem, scale, budget).run(starts);
}

class Annealing {
  readonly #state: SearchState;
  readonly #neighbourhood: Neighbourhood;
  readonly #best: Int32Array;
  #bestObjective = Number.POSITIVE_INFINITY;
  #done = 0;
  #expired = false;

  constructor(
    readonly problem: Problem,
    scale: Scale,
    private readonly budget: SearchBudget,
  ) {
    const anywhere = problem.candidates.map((sites) => sites[0]!);
    this.#state = new SearchState(problem, scale, anywhere);
    this.#neighbourhood = new Neighbourhood(this.#state);
    this.#best = Int32Array.from(anywhere);
  }

  run(starts: Int32Array[]): Candidate | undefined {
    for (const start of starts) {
      this.#state.reset(start);
      this.#keep();
    }
    if (this.#neighbourhood.movable.length > 0) {
      const runs = this.#runs();
      const share = Math.floor(this.budget.evaluations / runs);
      for (let run = 0; run < runs && !this.#expired; run += 1) this.#run(run, share, starts);
      this.#descend();
    }
    if (this.#bestObjective === Number.POSITIVE_INFINITY) return undefined;
    return { sites: this.#best, objective: this.#bestObjective };
  }

  #runs(): number {
    const slow = EVALUATIONS_PER_OPERATOR * this.#neighbourhood.movable.length;
    return Math.min(Math.max(Math.round(this.budget.evaluations / slow), FEWEST_RUNS), MOST_RUNS);
  }

  #run(run: number, share: number, starts: Int32Array[]): void {
    const random = new Random(this.budget.seed, run);
    const isHot = run % 2 === 0 || this.#bestObjective === Number.POSITIVE_INFINITY;
    this.#state.reset(isHot ? starts[(run >> 1) % starts.length]! : this.#best);
    const typical = this.#typicalChange(random);
    const end = this.#done + share;
    const from = typical * (isHot ? HOT : WARM);
    const cooling = (COLD * typical) / from;
    const begin = this.#done;
    let price = FIRST_PRICE;
    while (this.#done < end && !this.#expired) {
      const progress = (this.#done - begin) / share;
      const temperature = from * cooling ** progress;
      price *= this.#state.feasible ? 1 - ADAPTATION : 1 + ADAPTATION;
      price = Math.min(Math.max(price, LOWEST_PRICE), HIGHEST_PRICE);
      this.#state.strictness = typical * price;
      for (const stop = this.#done + STRIDE; this.#done < stop; ) {
        this.#done += this.#neighbourhood.step(random, temperature);
        if (this.#state.objective < this.#bestObjective) this.#keep();
      }
      this.#look();
    }
  }

  /** Mean difference that a random change makes to the objective. */
  #typicalChange(random: Random): number {
    const { movable } = this.#neighbourhood;
    this.#state.strictness = 0;
    let sum = 0;
    let count = 0;
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const operator = random.pick(movable);
      const change = Math.abs(this.#state.probe(operator, random.pick(this.problem.candidates[operator]!)));
      if (change > 0) {
        sum += change;
        count += 1;
      }
    }
    return count > 0 ? sum / count : 1;
  }

  /** Best change first, from the best placement, until none helps. */
  #descend(): void {
    if (this.#bestObjective === Number.POSITIVE_INFINITY) return;
    const state = this.#state;
    state.reset(this.#best);
    state.strictness = 1e6;
    for (let improved = true; improved && !this.#expired; ) {
      improved = false;
      for (const operator of this.#neighbourhood.movable) {
        let best = -1;
        let bestChange = -1e-12;
        for (const site of this.problem.candidates[operator]!) {
          const change = state.probe(operator, site);
          if (change >= bestChange) continue;
          best = site;
          bestChange = change;
        }
        if (best >= 0) {
          state.move(operator, best);
          improved = true;
        }
      }
      this.#keep();
      this.#look();
    }
  }

  #keep(): void {
    if (!this.#state.feasible || this.#state.objective >= this.#bestObjective) return;
    this.#bestObjective = this.#state.objective;
    this.#best.set(this.#state.site);
  }

  #look(): void {
    this.#expired ||= this.budget.expired();
    this.budget.onProgress?.(this.#done);
  }
}
