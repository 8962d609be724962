import { type Scale, weigh } from '../model/evaluate';
import { NO_SITE, type Problem } from '../model/problem';
import type { Candidate } from './baseline';
import { type LimitedPaths, Loads, limitedPaths } from './loads';

/** So much better counts as better. */
const GAIN = 1e-12;
/** Steps between two looks at the clock. */
const STRIDE = 1024;

export interface ExhaustBudget {
  /** Operators put at a site to see what that costs. */
  steps: number;
  /** Ends the search early. */
  expired(): boolean;
}

export interface Exhausted {
  /** The best placement that is known now. */
  best: Candidate | undefined;
  /** Whether there is no better one. */
  isComplete: boolean;
}

/**
 * Looks at all placements, operator by operator along the streams, and leaves out what already costs more than the
 * best one known (branch and bound; Land and Doig, 1960). It finds what annealing misses where constraints leave
 * few placements, far apart.
 *
 * @param known the best placement so far
 */
export function exhaust(
  problem: Problem,
  scale: Scale,
  known: Candidate | undefined,
  budget: ExhaustBudget,
): Exhausted {
  return new Exhaustion(problem, scale, budget).run(known);
}

/** What is placed so far costs. */
interface Cost {
  response: number;
  traffic: number;
  price: number;
  moves: number;
}

class Exhaustion {
  readonly #sites: Int32Array;
  readonly #arrival: Float64Array;
  readonly #cpu: Loads;
  readonly #memory: Loads;
  readonly #limited: LimitedPaths | undefined;
  readonly #links: Loads | undefined;
  /** Streams into each operator: from `#firstStream[operator]` to the next one's. */
  readonly #firstStream: Int32Array;
  /** What the operators from there on cost at least, by the cheapest sites. */
  readonly #restPrice: Float64Array;
  #best: Int32Array | undefined;
  #bestObjective = Number.POSITIVE_INFINITY;
  #steps = 0;
  #isOver = false;

  constructor(
    private readonly problem: Problem,
    private readonly scale: Scale,
    private readonly budget: ExhaustBudget,
  ) {
    const { operatorIds, streamTo, siteCpu, siteMemory, siteCost, candidates, cpu } = problem;
    const count = operatorIds.length;
    this.#sites = new Int32Array(count);
    this.#arrival = new Float64Array(count);
    this.#cpu = new Loads(siteCpu, 1);
    this.#memory = new Loads(siteMemory, 1);
    this.#limited = limitedPaths(problem);
    this.#links = this.#limited && new Loads(this.#limited.bandwidth, 1);
    this.#firstStream = new Int32Array(count + 1);
    for (const to of streamTo) this.#firstStream[to + 1]! += 1;
    for (let operator = 0; operator < count; operator += 1) {
      this.#firstStream[operator + 1]! += this.#firstStream[operator]!;
    }
    this.#restPrice = new Float64Array(count + 1);
    for (let operator = count - 1; operator >= 0; operator -= 1) {
      const cheapest = Math.min(...Array.from(candidates[operator]!, (site) => siteCost[site]!));
      this.#restPrice[operator] = this.#restPrice[operator + 1]! + cpu[operator]! * cheapest;
    }
  }

  run(known: Candidate | undefined): Exhausted {
    if (known) this.#bestObjective = known.objective;
    this.#place(0, { response: 0, traffic: 0, price: 0, moves: 0 });
    const best = this.#best && { sites: this.#best, objective: this.#bestObjective };
    return { best: best ?? known, isComplete: !this.#isOver };
  }

  #place(operator: number, cost: Cost): void {
    if (operator === this.#sites.length) {
      this.#best = this.#sites.slice();
      this.#bestObjective = this.#objective(cost, 0);
      return;
    }
    const choices = Array.from(this.problem.candidates[operator]!, (site) => {
      const next = this.#costAt(operator, site, cost);
      // Without a path it does not hold, whatever weights say.
      const isReached = Number.isFinite(next.traffic);
      const bound = isReached
        ? this.#objective(next, this.#restPrice[operator + 1]!)
        : Number.POSITIVE_INFINITY;
      return { site, next, bound };
    });
    // What promises most comes first, so that the rest need not be looked at.
    choices.sort((one, other) => one.bound - other.bound || one.site - other.site);
    for (const { site, next, bound } of choices) {
      if (this.#isOver || !(bound < this.#bestObjective - GAIN)) return;
      this.#count();
      this.#sites[operator] = site;
      this.#load(operator, site, 1);
      if (this.#holds()) {
        this.#costAt(operator, site, cost);
        this.#place(operator + 1, next);
      }
      this.#load(operator, site, -1);
    }
  }

  /** Also says when messages arrive there. */
  #costAt(operator: number, site: number, { response, traffic, price, moves }: Cost): Cost {
    const { streamFrom, streamBytes, latency, siteIds, cpu, siteCost, current } = this.problem;
    let arrival = 0;
    let bytes = 0;
    for (let stream = this.#firstStream[operator]!; stream < this.#firstStream[operator + 1]!; stream += 1) {
      const from = streamFrom[stream]!;
      const distance = latency[this.#sites[from]! * siteIds.length + site]!;
      arrival = Math.max(arrival, this.#arrival[from]! + distance);
      bytes += distance === Number.POSITIVE_INFINITY ? distance : streamBytes[stream]! * distance;
    }
    this.#arrival[operator] = arrival;
    const isMove = current[operator] !== NO_SITE && current[operator] !== site;
    return {
      response: Math.max(response, arrival),
      traffic: traffic + bytes,
      price: price + cpu[operator]! * siteCost[site]!,
      moves: moves + Number(isMove),
    };
  }

  #objective({ response, traffic, price, moves }: Cost, rest: number): number {
    const { totalCpu } = this.problem;
    const resources = totalCpu > 0 ? (price + rest) / totalCpu : 0;
    return weigh({ responseTimeMs: response, traffic, resources, moves }, this.scale);
  }

  /** Puts an operator's demand on its site and links, or takes it off. */
  #load(operator: number, site: number, sign: 1 | -1): void {
    const { cpu, memory, streamFrom, streamMbps, siteIds } = this.problem;
    this.#cpu.add(site, sign * cpu[operator]!);
    this.#memory.add(site, sign * memory[operator]!);
    if (!this.#links || !this.#limited) return;
    const { start, link } = this.#limited;
    for (let stream = this.#firstStream[operator]!; stream < this.#firstStream[operator + 1]!; stream += 1) {
      const pair = this.#sites[streamFrom[stream]!]! * siteIds.length + site;
      for (let at = start[pair]!; at < start[pair + 1]!; at += 1) {
        this.#links.add(link[at]!, sign * streamMbps[stream]!);
      }
    }
  }

  #holds(): boolean {
    return this.#cpu.broken === 0 && this.#memory.broken === 0 && !this.#links?.broken;
  }

  #count(): void {
    this.#steps += 1;
    const isDue = this.#steps % STRIDE === 0 && this.budget.expired();
    this.#isOver = this.#steps >= this.budget.steps || isDue;
  }
}
