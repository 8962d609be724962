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
  readonly #touched: number[] = [];
  /** The attempt in which a load was touched last. */
  readonly #touchedIn: Float64Array;
  #round = 0;
  #excessBefore = 0;
  #brokenBefore = 0;

  constructor(
    private readonly capacity: Float64Array,
    private readonly unit: number,
  ) {
    this.#load = new Float64Array(capacity.length);
    this.#undo = new Float64Array(capacity.length);
    this.#touchedIn = new Float64Array(capacity.length);
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

  /** From here to `rollback` changes are made by `attempt`. */
  begin(): void {
    this.#round += 1;
    this.#touched.length = 0;
    this.#excessBefore = this.excess;
    this.#brokenBefore = this.broken;
  }

  attempt(index: number, amount: number): void {
    if (this.#touchedIn[index] !== this.#round) {
      this.#touchedIn[index] = this.#round;
      this.#undo[index] = this.#load[index]!;
      this.#touched.push(index);
    }
    this.#change(index, this.#load[index]! + amount);
  }

  /** Puts everything back exactly as it was. */
  rollback(): void {
    for (const index of this.#touched) this.#load[index] = this.#undo[index]!;
    this.excess = this.#excessBefore;
    this.broken = this.#brokenBefore;
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
