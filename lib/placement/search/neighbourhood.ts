import type { Random } from './random';
import type { SearchState } from './state';

/** Shares of the kinds of change; the rest are operators that join a neighbour's site. */
const ANYWHERE = 0.3;
const NEARBY = 0.25;
const SWAP = 0.1;
const CLUSTER = 0.1;
/** Operators that one change moves together. */
const LARGEST_CLUSTER = 6;
/** Nearest sites that "nearby" draws from. */
const NEAREST = 16;

/** The changes that annealing draws from, and the decision by temperature. */
export class Neighbourhood {
  /** Operators with more than one place to be. */
  readonly movable: number[];
  readonly #nearest: Int32Array[];
  readonly #isCandidate: Uint8Array;
  readonly #siteCount: number;
  readonly #cluster: number[] = [];
  readonly #before: number[] = [];

  constructor(private readonly state: SearchState) {
    const { candidates, siteIds, latency } = state.problem;
    this.#siteCount = siteIds.length;
    this.movable = [...candidates.keys()].filter((operator) => candidates[operator]!.length > 1);
    this.#isCandidate = new Uint8Array(candidates.length * this.#siteCount);
    candidates.forEach((sites, operator) => {
      for (const site of sites) this.#isCandidate[operator * this.#siteCount + site] = 1;
    });
    this.#nearest = siteIds.map((_id, site) => nearest(latency, this.#siteCount, site));
  }

  /** Tries one change, keeps it or not, and gives the number of evaluations that it took. */
  step(random: Random, temperature: number): number {
    const operator = random.pick(this.movable);
    const kind = random.fraction();
    if (kind < ANYWHERE)
      return this.#relocate(
        operator,
        random.pick(this.state.problem.candidates[operator]!),
        random,
        temperature,
      );
    if (kind < ANYWHERE + NEARBY)
      return this.#relocate(operator, this.#nearby(operator, random), random, temperature);
    if (kind < ANYWHERE + NEARBY + SWAP) return this.#swap(operator, random, temperature);
    if (kind < ANYWHERE + NEARBY + SWAP + CLUSTER) return this.#moveCluster(operator, random, temperature);
    const neighbour = this.#neighbour(operator, random);
    const target = neighbour < 0 ? this.#nearby(operator, random) : this.state.site[neighbour]!;
    return this.#relocate(operator, target, random, temperature);
  }

  #relocate(operator: number, target: number, random: Random, temperature: number): number {
    if (!this.#mayRun(operator, target)) return 1;
    const change = this.state.probe(operator, target);
    if (isAccepted(change, temperature, random)) this.state.move(operator, target);
    return 1;
  }

  #swap(operator: number, random: Random, temperature: number): number {
    const { state } = this;
    const other = random.pick(this.movable);
    const here = state.site[operator]!;
    const there = state.site[other]!;
    if (here === there || !this.#mayRun(operator, there) || !this.#mayRun(other, here)) return 1;
    const first = state.probe(operator, there);
    state.move(operator, there);
    if (isAccepted(first + state.probe(other, here), temperature, random)) state.move(other, here);
    else state.move(operator, here);
    return 2;
  }

  /** Operators at one site that exchange messages go together. */
  #moveCluster(operator: number, random: Random, temperature: number): number {
    const { state } = this;
    const here = state.site[operator]!;
    const target = this.#clusterTarget(operator, random);
    if (target === here || !this.#mayRun(operator, target)) return 1;
    const size = 2 + random.below(LARGEST_CLUSTER - 1);
    this.#gather(operator, target, size, random);
    let change = 0;
    for (const each of this.#cluster) {
      this.#before.push(state.site[each]!);
      change += state.probe(each, target);
      state.move(each, target);
    }
    const count = this.#cluster.length;
    if (!isAccepted(change, temperature, random)) {
      for (let index = count - 1; index >= 0; index -= 1) {
        state.move(this.#cluster[index]!, this.#before[index]!);
      }
    }
    return count;
  }

  #gather(operator: number, target: number, size: number, random: Random): void {
    const cluster = this.#cluster;
    const here = this.state.site[operator]!;
    cluster.length = 0;
    this.#before.length = 0;
    cluster.push(operator);
    for (let attempt = 0; attempt < 2 * size && cluster.length < size; attempt += 1) {
      const next = this.#neighbour(random.pick(cluster), random);
      if (next < 0 || this.state.site[next] !== here || cluster.includes(next)) continue;
      if (this.#mayRun(next, target)) cluster.push(next);
    }
  }

  #clusterTarget(operator: number, random: Random): number {
    if (random.fraction() < 0.5) return this.#nearby(operator, random);
    const neighbour = this.#neighbour(operator, random);
    return neighbour < 0 ? this.#nearby(operator, random) : this.state.site[neighbour]!;
  }

  #nearby(operator: number, random: Random): number {
    return random.pick(this.#nearest[this.state.site[operator]!]!);
  }

  /** An operator that this one sends to or gets from; -1 if there is none. */
  #neighbour(operator: number, random: Random): number {
    const { incoming, outgoing } = this.state;
    const inStart = incoming.start[operator]!;
    const outStart = outgoing.start[operator]!;
    const inCount = incoming.start[operator + 1]! - inStart;
    const outCount = outgoing.start[operator + 1]! - outStart;
    if (inCount + outCount === 0) return -1;
    const drawn = random.below(inCount + outCount);
    return drawn < inCount
      ? incoming.neighbour[inStart + drawn]!
      : outgoing.neighbour[outStart + drawn - inCount]!;
  }

  #mayRun(operator: number, site: number): boolean {
    return this.#isCandidate[operator * this.#siteCount + site] === 1;
  }
}

/** Metropolis' rule. */
function isAccepted(change: number, temperature: number, random: Random): boolean {
  return change <= 0 || random.fraction() < Math.exp(-change / temperature);
}

function nearest(latency: Float64Array, count: number, site: number): Int32Array {
  const others = [...Array(count).keys()].filter((other) => other !== site);
  const distance = (other: number) => latency[site * count + other]!;
  others.sort((a, b) => (distance(a) === distance(b) ? a - b : distance(a) - distance(b)));
  return Int32Array.from(others.length > 0 ? others.slice(0, NEAREST) : [site]);
}
