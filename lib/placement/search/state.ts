import type { Scale } from '../model/evaluate';
import { LOST_SITE, NO_SITE, type Problem } from '../model/problem';
import { type Adjacency, adjacency, CriticalPath } from './critical-path';
import { type LimitedPaths, Loads, limitedPaths } from './loads';

/** Moves after which the running sums are counted anew, so that rounding cannot pile up. */
const RECOUNT_AFTER = 4096;

/**
 * A placement in the middle of a search, with its cost and its broken constraints, both changed by
 * differences. A placement that breaks constraints pays `strictness` per unit.
 */
export class SearchState {
  readonly site: Int32Array;
  readonly incoming: Adjacency;
  readonly outgoing: Adjacency;
  /** The price of one unit of violation. */
  strictness = 1;
  /** Objective without the price of broken constraints. */
  objective = 0;

  readonly #count: number;
  readonly #siteCount: number;
  /** Finite everywhere: where no path is, a distance beyond all others. */
  readonly #latency: Float64Array;
  readonly #pathless: Uint8Array | undefined;
  readonly #path: CriticalPath;
  readonly #cpu: Loads;
  readonly #memory: Loads;
  readonly #links: Loads | undefined;
  readonly #limited: LimitedPaths | undefined;
  #traffic = 0;
  #price = 0;
  #moved = 0;
  #withoutPath = 0;
  #applied = 0;

  constructor(
    readonly problem: Problem,
    readonly scale: Scale,
    start: ArrayLike<number>,
  ) {
    const { operatorIds, siteIds, streamFrom, streamTo } = problem;
    this.#count = operatorIds.length;
    this.#siteCount = siteIds.length;
    this.site = Int32Array.from(start);
    this.incoming = adjacency(this.#count, streamTo, streamFrom);
    this.outgoing = adjacency(this.#count, streamFrom, streamTo);
    const finite = finiteLatency(problem.latency);
    this.#latency = finite.latency;
    this.#pathless = finite.pathless;
    this.#path = new CriticalPath(this.incoming, this.outgoing, this.site, this.#latency, this.#siteCount);
    this.#cpu = new Loads(problem.siteCpu, typical(problem.cpu));
    this.#memory = new Loads(problem.siteMemory, typical(problem.memory));
    this.#limited = limitedPaths(problem);
    this.#links = this.#limited && new Loads(this.#limited.bandwidth, typical(problem.streamMbps));
    this.reset(start);
  }

  /** Whether all constraints hold. */
  get feasible(): boolean {
    return (
      this.#cpu.broken + this.#memory.broken + this.#withoutPath === 0 && (this.#links?.broken ?? 0) === 0
    );
  }

  /** Objective plus the price of broken constraints. */
  get cost(): number {
    const violation =
      this.#cpu.penalty() + this.#memory.penalty() + (this.#links?.penalty() ?? 0) + this.#withoutPath;
    return this.objective + this.strictness * violation;
  }

  /** Takes over a whole placement. */
  reset(sites: ArrayLike<number>): void {
    this.site.set(sites);
    this.#recount();
  }

  /** Whether cpu and memory of `target` have room for `operator` too. */
  fits(operator: number, target: number): boolean {
    const { cpu, memory } = this.problem;
    return this.#cpu.fits(target, cpu[operator]!) && this.#memory.fits(target, memory[operator]!);
  }

  /** What `cost` would change by if `operator` ran at `target`. */
  probe(operator: number, target: number): number {
    const from = this.site[operator]!;
    if (from === target) return 0;
    const { scale, problem } = this;
    const violation =
      this.#cpu.probe(target, problem.cpu[operator]!) +
      this.#cpu.probe(from, -problem.cpu[operator]!) +
      this.#memory.probe(target, problem.memory[operator]!) +
      this.#memory.probe(from, -problem.memory[operator]!) +
      this.#probeLinks(operator, target) +
      this.#pathlessDifference(operator, target);
    let difference = this.strictness * violation;
    if (scale.responseTimeMs > 0) {
      difference += scale.responseTimeMs * (this.#path.probe(operator, target) - this.#path.length);
    }
    if (scale.traffic > 0) difference += scale.traffic * this.#trafficDifference(operator, target);
    if (scale.resources > 0) {
      difference += (scale.resources * this.#priceDifference(operator, target)) / (problem.totalCpu || 1);
    }
    if (scale.moves > 0) difference += scale.moves * this.#movedDifference(operator, target);
    return difference;
  }

  /** Lets `operator` run at `target`. */
  move(operator: number, target: number): void {
    const from = this.site[operator]!;
    if (from === target) return;
    const { cpu, memory } = this.problem;
    this.#cpu.add(from, -cpu[operator]!);
    this.#cpu.add(target, cpu[operator]!);
    this.#memory.add(from, -memory[operator]!);
    this.#memory.add(target, memory[operator]!);
    this.#traffic += this.#trafficDifference(operator, target);
    this.#price += this.#priceDifference(operator, target);
    this.#moved += this.#movedDifference(operator, target);
    this.#withoutPath += this.#pathlessDifference(operator, target);
    this.#loadLinks(operator, from, -1);
    this.site[operator] = target;
    this.#loadLinks(operator, target, 1);
    this.#applied += 1;
    if (this.#applied >= RECOUNT_AFTER) this.#recount();
    else {
      if (this.scale.responseTimeMs > 0) this.#path.update(operator);
      this.#weigh();
    }
  }

  #recount(): void {
    const { problem, site } = this;
    const { streamFrom, streamTo } = problem;
    this.#applied = 0;
    this.#cpu.clear();
    this.#memory.clear();
    this.#links?.clear();
    this.#price = 0;
    this.#moved = 0;
    this.#traffic = 0;
    this.#withoutPath = 0;
    for (let operator = 0; operator < this.#count; operator += 1) {
      const own = site[operator]!;
      this.#cpu.add(own, problem.cpu[operator]!);
      this.#memory.add(own, problem.memory[operator]!);
      this.#price += problem.cpu[operator]! * problem.siteCost[own]!;
      this.#moved += this.#moves(operator, own);
    }
    for (let stream = 0; stream < streamFrom.length; stream += 1) {
      const pair = site[streamFrom[stream]!]! * this.#siteCount + site[streamTo[stream]!]!;
      this.#traffic += problem.streamBytes[stream]! * this.#latency[pair]!;
      this.#withoutPath += this.#pathless?.[pair] ?? 0;
      this.#loadPath(pair, problem.streamMbps[stream]!);
    }
    this.#path.reset();
    this.#weigh();
  }

  #weigh(): void {
    const { scale } = this;
    this.objective =
      scale.responseTimeMs * this.#path.length +
      scale.traffic * this.#traffic +
      (scale.resources * this.#price) / (this.problem.totalCpu || 1) +
      scale.moves * this.#moved;
  }

  #trafficDifference(operator: number, target: number): number {
    const { incoming, outgoing, site, problem } = this;
    const bytes = problem.streamBytes;
    const latency = this.#latency;
    const count = this.#siteCount;
    const from = site[operator]!;
    let sum = 0;
    for (let at = incoming.start[operator]!; at < incoming.start[operator + 1]!; at += 1) {
      const row = site[incoming.neighbour[at]!]! * count;
      sum += bytes[incoming.stream[at]!]! * (latency[row + target]! - latency[row + from]!);
    }
    for (let at = outgoing.start[operator]!; at < outgoing.start[operator + 1]!; at += 1) {
      const column = site[outgoing.neighbour[at]!]!;
      sum +=
        bytes[outgoing.stream[at]!]! * (latency[target * count + column]! - latency[from * count + column]!);
    }
    return sum;
  }

  #pathlessDifference(operator: number, target: number): number {
    const pathless = this.#pathless;
    if (!pathless) return 0;
    const from = this.site[operator]!;
    let sum = 0;
    this.#eachStream(
      operator,
      (_stream, before, after) => {
        sum += pathless[after]! - pathless[before]!;
      },
      from,
      target,
    );
    return sum;
  }

  #priceDifference(operator: number, target: number): number {
    const { cpu, siteCost } = this.problem;
    return cpu[operator]! * (siteCost[target]! - siteCost[this.site[operator]!]!);
  }

  #movedDifference(operator: number, target: number): number {
    return this.#moves(operator, target) - this.#moves(operator, this.site[operator]!);
  }

  #moves(operator: number, site: number): number {
    const current = this.problem.current[operator]!;
    return current === NO_SITE || (current !== LOST_SITE && current === site) ? 0 : 1;
  }

  #probeLinks(operator: number, target: number): number {
    const links = this.#links;
    if (!links) return 0;
    const before = links.penalty();
    links.begin();
    this.#eachStream(
      operator,
      (stream, oldPair, newPair) => {
        this.#attemptPath(links, oldPair, -this.problem.streamMbps[stream]!);
        this.#attemptPath(links, newPair, this.problem.streamMbps[stream]!);
      },
      this.site[operator]!,
      target,
    );
    const difference = links.penalty() - before;
    links.rollback();
    return difference;
  }

  #attemptPath(links: Loads, pair: number, mbps: number): void {
    const { start, link } = this.#limited!;
    for (let at = start[pair]!; at < start[pair + 1]!; at += 1) links.attempt(link[at]!, mbps);
  }

  #loadLinks(operator: number, at: number, sign: number): void {
    if (!this.#limited) return;
    this.#eachStream(
      operator,
      (stream, pair) => {
        this.#loadPath(pair, sign * this.problem.streamMbps[stream]!);
      },
      at,
      at,
    );
  }

  #loadPath(pair: number, mbps: number): void {
    const limited = this.#limited;
    if (!limited) return;
    for (let at = limited.start[pair]!; at < limited.start[pair + 1]!; at += 1) {
      this.#links!.add(limited.link[at]!, mbps);
    }
  }

  /** Visits the operator's streams with the pairs of sites they join, with it at `before` and at `after`. */
  #eachStream(
    operator: number,
    visit: (stream: number, before: number, after: number) => void,
    before: number,
    after: number,
  ): void {
    const { incoming, outgoing, site } = this;
    const count = this.#siteCount;
    for (let at = incoming.start[operator]!; at < incoming.start[operator + 1]!; at += 1) {
      const row = site[incoming.neighbour[at]!]! * count;
      visit(incoming.stream[at]!, row + before, row + after);
    }
    for (let at = outgoing.start[operator]!; at < outgoing.start[operator + 1]!; at += 1) {
      const column = site[outgoing.neighbour[at]!]!;
      visit(outgoing.stream[at]!, before * count + column, after * count + column);
    }
  }
}

function finiteLatency(latency: Float64Array): { latency: Float64Array; pathless: Uint8Array | undefined } {
  const isMissing = (value: number) => value === Number.POSITIVE_INFINITY;
  if (!latency.some(isMissing)) return { latency, pathless: undefined };
  const beyond = 1 + 2 * latency.reduce((max, value) => (isMissing(value) ? max : Math.max(max, value)), 0);
  return {
    latency: latency.map((value) => (isMissing(value) ? beyond : value)),
    pathless: Uint8Array.from(latency, (value) => Number(isMissing(value))),
  };
}

/** Mean of what is above 0, as the unit of excess. */
function typical(amounts: Float64Array): number {
  const used = amounts.filter((amount) => amount > 0);
  return used.length > 0 ? used.reduce((sum, amount) => sum + amount, 0) / used.length : 1;
}
