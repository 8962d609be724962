import { bottlenecks } from '../model/domains';
import type { Scale } from '../model/evaluate';
import { NO_SITE, type Problem, TOLERANCE } from '../model/problem';
import { LinearProgram, type LinearProgramData, type Term } from './linear-program';

/** Constraints that can be left out, to learn which one cannot be met. */
export interface Relaxation {
  cpu?: boolean;
  memory?: boolean;
  bandwidth?: boolean;
}

/** Streams between the same two operators always take the same path: they count as one. */
interface Flow {
  from: number;
  to: number;
  bytes: number;
  mbps: number;
}

/** A pair of sites that a flow may join, by the column that is 1 if it does; no column: it always does. */
interface Choice {
  a: number;
  b: number;
  column: number | undefined;
}

/**
 * The problem as a mixed-integer linear program. x[o, s] = 1: operator o runs at s. The product
 * x[a, s] x[b, t] of a stream's ends is a column y[s, t] >= 0 with sum over t of y[s, t] = x[a, s] and sum
 * over s of y[s, t] = x[b, t] (Adams and Johnson's linearisation, tight and exact at whole x). The longest
 * path is R >= h[b] >= h[a] + sum of L y.
 *
 * Without a `scale` only feasibility is asked.
 */
export class PlacementProgram {
  readonly #program = new LinearProgram();
  /** Per operator: candidate site -> column; nothing where it has no choice. */
  readonly #place: (Map<number, number> | undefined)[];
  readonly #smallest: Float64Array;

  constructor(
    private readonly problem: Problem,
    private readonly scale: Scale | undefined,
    relaxed: Relaxation = {},
  ) {
    this.#smallest = bottlenecks(problem);
    this.#place = problem.candidates.map((sites, operator) => this.#placeColumns(operator, sites));
    if (!relaxed.cpu) this.#capacity(problem.cpu, problem.siteCpu);
    if (!relaxed.memory) this.#capacity(problem.memory, problem.siteMemory);
    if (needsFlows(problem, scale, relaxed)) this.#flows(relaxed.bandwidth ?? false);
  }

  data(): LinearProgramData {
    return this.#program.data();
  }

  /** The placement that a solution stands for. */
  sites(columns: ArrayLike<number>): Int32Array {
    return Int32Array.from(this.#place, (place, operator) => {
      let best = this.problem.candidates[operator]![0]!;
      if (!place) return best;
      for (const [site, column] of place) if (columns[column]! > columns[place.get(best)!]!) best = site;
      return best;
    });
  }

  /** Columns and values of x for a placement: where HiGHS starts. */
  start(sites: ArrayLike<number>): { indices: number[]; values: number[] } {
    const indices: number[] = [];
    const values: number[] = [];
    this.#place.forEach((place, operator) => {
      for (const [site, column] of place ?? []) {
        indices.push(column);
        values.push(Number(sites[operator] === site));
      }
    });
    return { indices, values };
  }

  #placeColumns(operator: number, sites: Int32Array): Map<number, number> | undefined {
    const program = this.#program;
    if (sites.length === 1) {
      program.offset += this.#placeCost(operator, sites[0]!);
      return undefined;
    }
    const place = new Map<number, number>();
    for (const site of sites) place.set(site, program.column(this.#placeCost(operator, site), 1, true));
    program.row(1, [...place.values()].map(one), 1);
    return place;
  }

  #placeCost(operator: number, site: number): number {
    if (!this.scale) return 0;
    const { cpu, siteCost, totalCpu, current } = this.problem;
    const price = totalCpu > 0 ? (cpu[operator]! * siteCost[site]!) / totalCpu : 0;
    const moved = current[operator] !== NO_SITE && current[operator] !== site ? 1 : 0;
    return this.scale.resources * price + this.scale.moves * moved;
  }

  /** Rows are divided by the capacity, so that the solver's tolerance means the same in each. */
  #capacity(demand: Float64Array, capacity: Float64Array): void {
    for (let site = 0; site < capacity.length; site += 1) {
      const unit = Math.max(capacity[site]!, 1e-6);
      let fixed = 0;
      let possible = 0;
      const terms: Term[] = [];
      this.#place.forEach((place, operator) => {
        const column = place?.get(site);
        if (column !== undefined) {
          terms.push({ column, value: demand[operator]! / unit });
          possible += demand[operator]!;
        } else if (!place && this.problem.candidates[operator]![0] === site) fixed += demand[operator]!;
      });
      if (fixed + possible <= capacity[site]!) continue;
      this.#program.row(Number.NEGATIVE_INFINITY, terms, (capacity[site]! - fixed + TOLERANCE) / unit);
    }
  }

  #flows(isBandwidthRelaxed: boolean): void {
    const arrival: (number | undefined)[] = this.problem.operatorIds.map(() => undefined);
    const response = this.scale?.responseTimeMs
      ? this.#program.column(this.scale.responseTimeMs, Number.POSITIVE_INFINITY)
      : undefined;
    const loads = new Map<number, Term[]>();
    const fixedLoads = new Map<number, number>();
    for (const flow of joined(this.problem)) {
      const choices = this.#choices(flow, isBandwidthRelaxed);
      this.#traffic(flow, choices);
      if (response !== undefined) this.#path(flow, choices, arrival, response);
      if (!isBandwidthRelaxed) this.#loads(flow, choices, loads, fixedLoads);
    }
    this.#bandwidth(loads, fixedLoads);
  }

  #choices({ from, to, mbps }: Flow, isBandwidthRelaxed: boolean): Choice[] {
    const { candidates, siteIds } = this.problem;
    const fromPlace = this.#place[from];
    const toPlace = this.#place[to];
    const a0 = candidates[from]![0]!;
    const b0 = candidates[to]![0]!;
    if (!fromPlace && !toPlace) return [{ a: a0, b: b0, column: undefined }];
    if (!fromPlace) return [...toPlace!].map(([b, column]) => ({ a: a0, b, column }));
    if (!toPlace) return [...fromPlace].map(([a, column]) => ({ a, b: b0, column }));
    const choices: Choice[] = [];
    const rows = new Map([...fromPlace].map(([site, column]) => [site, [{ column, value: -1 }]]));
    const columns = new Map([...toPlace].map(([site, column]) => [site, [{ column, value: -1 }]]));
    for (const a of fromPlace.keys()) {
      for (const b of toPlace.keys()) {
        const smallest = this.#smallest[a * siteIds.length + b]!;
        if (smallest < 0 || (!isBandwidthRelaxed && mbps > smallest + TOLERANCE)) continue;
        const column = this.#program.column(0, 1);
        choices.push({ a, b, column });
        rows.get(a)!.push({ column, value: 1 });
        columns.get(b)!.push({ column, value: 1 });
      }
    }
    for (const terms of [...rows.values(), ...columns.values()]) this.#program.row(0, terms, 0);
    return choices;
  }

  #traffic({ bytes }: Flow, choices: Choice[]): void {
    if (!this.scale) return;
    for (const { a, b, column } of choices) {
      const cost = this.scale.traffic * bytes * this.#distance(a, b);
      if (column === undefined) this.#program.offset += cost;
      else this.#program.addCost(column, cost);
    }
  }

  #path({ from, to }: Flow, choices: Choice[], arrival: (number | undefined)[], response: number): void {
    const program = this.#program;
    if (arrival[to] === undefined) {
      arrival[to] = program.column(0, Number.POSITIVE_INFINITY);
      program.row(0, [one(response), { column: arrival[to], value: -1 }], Number.POSITIVE_INFINITY);
    }
    const terms = [one(arrival[to]!)];
    if (arrival[from] !== undefined) terms.push({ column: arrival[from], value: -1 });
    let fixed = 0;
    for (const { a, b, column } of choices) {
      if (column === undefined) fixed += this.#distance(a, b);
      else terms.push({ column, value: -this.#distance(a, b) });
    }
    program.row(fixed, terms, Number.POSITIVE_INFINITY);
  }

  #loads({ mbps }: Flow, choices: Choice[], loads: Map<number, Term[]>, fixed: Map<number, number>): void {
    const { paths } = this.problem;
    for (const { a, b, column } of choices) {
      paths.eachLink(a, b, (link) => {
        if (paths.links[link]!.bandwidthMbps === Number.POSITIVE_INFINITY) return;
        if (column === undefined) fixed.set(link, (fixed.get(link) ?? 0) + mbps);
        else if (loads.has(link)) loads.get(link)!.push({ column, value: mbps });
        else loads.set(link, [{ column, value: mbps }]);
      });
    }
  }

  #bandwidth(loads: Map<number, Term[]>, fixed: Map<number, number>): void {
    for (const link of new Set([...loads.keys(), ...fixed.keys()])) {
      const { bandwidthMbps } = this.problem.paths.links[link]!;
      const unit = Math.max(bandwidthMbps, 1e-6);
      const terms = mergeTerms(loads.get(link) ?? []).map(({ column, value }) => ({
        column,
        value: value / unit,
      }));
      const left = bandwidthMbps - (fixed.get(link) ?? 0) + TOLERANCE;
      this.#program.row(Number.NEGATIVE_INFINITY, terms, left / unit);
    }
  }

  #distance(a: number, b: number): number {
    return this.problem.latency[a * this.problem.siteIds.length + b]!;
  }
}

/** Columns that the program of a problem has, so that one that is too large need not be made. */
export function programSize(problem: Problem, scale: Scale | undefined, relaxed: Relaxation = {}): number {
  const { candidates, streamFrom, streamTo } = problem;
  let size = candidates.reduce((sum, sites) => sum + sites.length, 0);
  if (!needsFlows(problem, scale, relaxed)) return size;
  for (let stream = 0; stream < streamFrom.length; stream += 1) {
    size += candidates[streamFrom[stream]!]!.length * candidates[streamTo[stream]!]!.length;
  }
  return size;
}

/** Where only room is asked for, it does not matter who talks to whom. */
function needsFlows(problem: Problem, scale: Scale | undefined, relaxed: Relaxation): boolean {
  if (scale) return true;
  const isPathMissing = problem.latency.includes(Number.POSITIVE_INFINITY);
  const isLimited = problem.paths.links.some(
    ({ bandwidthMbps }) => bandwidthMbps !== Number.POSITIVE_INFINITY,
  );
  return isPathMissing || (isLimited && !relaxed.bandwidth);
}

function joined({ streamFrom, streamTo, streamBytes, streamMbps }: Problem): Flow[] {
  const flows = new Map<string, Flow>();
  for (let stream = 0; stream < streamFrom.length; stream += 1) {
    const from = streamFrom[stream]!;
    const to = streamTo[stream]!;
    const flow = flows.get(`${from} ${to}`) ?? { from, to, bytes: 0, mbps: 0 };
    flow.bytes += streamBytes[stream]!;
    flow.mbps += streamMbps[stream]!;
    flows.set(`${from} ${to}`, flow);
  }
  return [...flows.values()];
}

/** A column may stand in a row only once: a placed operator with two pinned neighbours loads a link twice. */
function mergeTerms(terms: Term[]): Term[] {
  const sums = new Map<number, number>();
  for (const { column, value } of terms) sums.set(column, (sums.get(column) ?? 0) + value);
  return [...sums].map(([column, value]) => ({ column, value }));
}

function one(column: number): Term {
  return { column, value: 1 };
}
