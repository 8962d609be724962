import { type Problem, TOLERANCE } from '../model/problem';

/** Sums kept by adding and subtracting drift: the search stays on the safe side of the contract's tolerance. */
const SLACK = TOLERANCE / 2;

/**
 * Loads against capacities, with a measure of how much is too much: the excess in units of a typical item,
 * and 1 for each overloaded capacity, so that a little too much does not come cheap.
 */
export class Loads {
  /** Number of capacities that are exceeded. */
  broken = 0;
  excess = 0;
  readonly #load: Float64Array;
  readonly #undo: Float64Array;

  constructor(
    private readonly capacity: Float64Array,
    private readonly unit: number,
  ) {
    this.#load = new Float64Array(capacity.length);
    this.#undo = new Float64Array(capacity.length);
  }

  clear(): void {
    this.#load.fill(0);
    this.broken = 0;
    this.excess = 0;
  }

  add(index: number, amount: number): void {
    this.#change(index, this.#load[index]! + amount);
  }

  /** What `excess + broken` would change by. */
  probe(index: number, amount: number): number {
    const load = this.#load[index]!;
    return this.#penalty(index, load + amount) - this.#penalty(index, load);
  }

  fits(index: number, amount: number): boolean {
    return this.#load[index]! + amount <= this.capacity[index]! + SLACK;
  }

  penalty(): number {
    return this.broken === 0 ? 0 : this.broken + this.excess;
  }

  /** Remembers a load, to be put back exactly by `restore`. */
  remember(index: number): void {
    this.#undo[index] = this.#load[index]!;
  }

  restore(index: number): void {
    this.#change(index, this.#undo[index]!);
  }

  #change(index: number, load: number): void {
    const before = this.#over(index, this.#load[index]!);
    const after = this.#over(index, load);
    this.#load[index] = load;
    this.excess += (after - before) / this.unit;
    this.broken += Number(after > 0) - Number(before > 0);
  }

  #over(index: number, load: number): number {
    const over = load - this.capacity[index]!;
    return over > SLACK ? over : 0;
  }

  #penalty(index: number, load: number): number {
    const over = this.#over(index, load);
    return over > 0 ? 1 + over / this.unit : 0;
  }
}

/** For each pair of sites the links of its path whose bandwidth is limited. */
export interface LimitedPaths {
  start: Int32Array;
  link: Int32Array;
  bandwidth: Float64Array;
}

/** Undefined when no link is limited. */
export function limitedPaths({ paths, siteIds }: Problem): LimitedPaths | undefined {
  const bandwidth = Float64Array.from(paths.links, ({ bandwidthMbps }) => bandwidthMbps);
  if (bandwidth.every((value) => value === Number.POSITIVE_INFINITY)) return undefined;
  const count = siteIds.length;
  const start = new Int32Array(count * count + 1);
  const links: number[] = [];
  for (let from = 0; from < count; from += 1) {
    for (let to = 0; to < count; to += 1) {
      paths.eachLink(from, to, (link) => {
        if (bandwidth[link] !== Number.POSITIVE_INFINITY) links.push(link);
      });
      start[from * count + to + 1] = links.length;
    }
  }
  return { start, link: Int32Array.from(links), bandwidth };
}
