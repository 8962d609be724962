import { evaluateSites, type Scale } from '../model/evaluate';
import type { Problem } from '../model/problem';
import { SearchState } from './state';

/** A placement by number, and what it costs. */
export interface Candidate {
  sites: Int32Array;
  objective: number;
}

/** The best feasible placement of all operators that are not pinned at one site, if there is one. */
export function allAtOneSite(problem: Problem, scale: Scale): Candidate | undefined {
  let best: Candidate | undefined;
  for (let site = 0; site < problem.siteIds.length; site += 1) {
    const sites = problem.pin.map((pinned) => (pinned < 0 ? site : pinned));
    const { feasible, objective } = evaluateSites(problem, scale, sites);
    if (feasible && (!best || objective < best.objective)) best = { sites, objective };
  }
  return best;
}

/**
 * Greedy placement: the operators one by one along the streams, or the largest first, each to the site with
 * room where the operators placed so far cost least. The better of the two; undefined if neither is feasible.
 */
export function greedy(problem: Problem, scale: Scale): Candidate | undefined {
  const along = [...problem.operatorIds.keys()];
  const size = (operator: number) => problem.cpu[operator]! + problem.memory[operator]!;
  const largestFirst = along.toSorted((a, b) => size(b) - size(a) || a - b);
  let best: Candidate | undefined;
  for (const order of [along, largestFirst]) {
    const sites = placeInTurn(problem, scale, order);
    const { feasible, objective } = evaluateSites(problem, scale, sites);
    if (feasible && (!best || objective < best.objective)) best = { sites, objective };
  }
  return best;
}

/** Also of use as a start of the search when it is not feasible. */
export function placeInTurn(problem: Problem, scale: Scale, order: number[]): Int32Array {
  const placed = new Partial(problem);
  for (const operator of order) placed.place(operator, scale);
  return placed.sites;
}

/** A placement of some operators; streams to others cost nothing yet. */
class Partial {
  readonly sites: Int32Array;
  readonly #state: SearchState;
  readonly #cpu: Float64Array;
  readonly #memory: Float64Array;
  readonly #arrival: Float64Array;
  #response = 0;

  constructor(readonly problem: Problem) {
    const count = problem.operatorIds.length;
    this.sites = new Int32Array(count).fill(-1);
    this.#cpu = problem.siteCpu.slice();
    this.#memory = problem.siteMemory.slice();
    this.#arrival = new Float64Array(count);
    const anywhere = problem.candidates.map((sites) => sites[0]!);
    this.#state = new SearchState(
      problem,
      { responseTimeMs: 0, traffic: 0, resources: 0, moves: 0 },
      anywhere,
    );
  }

  place(operator: number, scale: Scale): void {
    const { problem } = this;
    let best = -1;
    let bestCost = Number.POSITIVE_INFINITY;
    for (const site of problem.candidates[operator]!) {
      const { arrival, traffic } = this.#flow(operator, site);
      const moved = problem.current[operator] !== -1 && problem.current[operator] !== site ? 1 : 0;
      const price = (problem.cpu[operator]! * problem.siteCost[site]!) / (problem.totalCpu || 1);
      let cost =
        scale.responseTimeMs * Math.max(this.#response, arrival) +
        scale.traffic * traffic +
        scale.resources * price +
        scale.moves * moved;
      const fits =
        problem.cpu[operator]! <= this.#cpu[site]! && problem.memory[operator]! <= this.#memory[site]!;
      // Where nothing fits, the least bad is taken: the search may mend it.
      if (!fits) cost += 1e9;
      if (cost < bestCost || best < 0) {
        best = site;
        bestCost = cost;
      }
    }
    this.sites[operator] = best;
    this.#cpu[best]! -= problem.cpu[operator]!;
    this.#memory[best]! -= problem.memory[operator]!;
    this.#arrival[operator] = this.#flow(operator, best).arrival;
    this.#response = Math.max(this.#response, this.#arrival[operator]!);
  }

  #flow(operator: number, site: number): { arrival: number; traffic: number } {
    const { latency, siteIds, streamBytes } = this.problem;
    const { incoming, outgoing } = this.#state;
    const count = siteIds.length;
    let arrival = 0;
    let traffic = 0;
    for (let at = incoming.start[operator]!; at < incoming.start[operator + 1]!; at += 1) {
      const other = incoming.neighbour[at]!;
      if (this.sites[other]! < 0) continue;
      const distance = Math.min(latency[this.sites[other]! * count + site]!, UNREACHABLE);
      arrival = Math.max(arrival, this.#arrival[other]! + distance);
      traffic += streamBytes[incoming.stream[at]!]! * distance;
    }
    for (let at = outgoing.start[operator]!; at < outgoing.start[operator + 1]!; at += 1) {
      const other = outgoing.neighbour[at]!;
      if (this.sites[other]! < 0) continue;
      const distance = Math.min(latency[site * count + this.sites[other]!]!, UNREACHABLE);
      arrival = Math.max(arrival, distance);
      traffic += streamBytes[outgoing.stream[at]!]! * distance;
    }
    return { arrival, traffic };
  }
}

/** A distance, in ms, that no network has: there is no path. */
const UNREACHABLE = 1e9;
