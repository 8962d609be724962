/** The streams of a problem as seen from each operator: neighbours at [start[i], start[i + 1]). */
export interface Adjacency {
  start: Int32Array;
  neighbour: Int32Array;
  /** The stream's number. */
  stream: Int32Array;
}

export function adjacency(count: number, owner: ArrayLike<number>, other: ArrayLike<number>): Adjacency {
  const start = new Int32Array(count + 1);
  for (let stream = 0; stream < owner.length; stream += 1) start[owner[stream]! + 1]! += 1;
  for (let index = 0; index < count; index += 1) start[index + 1]! += start[index]!;
  const next = start.slice();
  const neighbour = new Int32Array(owner.length);
  const streams = new Int32Array(owner.length);
  for (let stream = 0; stream < owner.length; stream += 1) {
    const at = next[owner[stream]!]!++;
    neighbour[at] = other[stream]!;
    streams[at] = stream;
  }
  return { start, neighbour, stream: streams };
}

/** Sums in another order differ by rounding. */
const ROUNDING = 1e-12;

/**
 * The longest path through the streams, kept up to date as operators change their site. Operators are
 * numbered along the streams.
 *
 * `head` is the longest path into an operator, `tail` the longest out of it. A move of v changes only paths
 * through v, so what the move makes of the longest path is known from v's neighbours alone, except when v
 * lies on every longest path and its own gets shorter: then the heads behind v are counted anew.
 */
export class CriticalPath {
  length = 0;
  readonly #count: number;
  readonly #head: Float64Array;
  readonly #tail: Float64Array;
  /** Largest head among the operators up to each. */
  readonly #largest: Float64Array;
  readonly #scratch: Float64Array;

  constructor(
    private readonly incoming: Adjacency,
    private readonly outgoing: Adjacency,
    private readonly site: Int32Array,
    private readonly latency: Float64Array,
    private readonly siteCount: number,
  ) {
    this.#count = site.length;
    this.#head = new Float64Array(this.#count);
    this.#tail = new Float64Array(this.#count);
    this.#largest = new Float64Array(this.#count);
    this.#scratch = new Float64Array(this.#count);
  }

  /** The length if `operator` ran at `target`. */
  probe(operator: number, target: number): number {
    const { incoming, outgoing, site, latency, siteCount } = this;
    let head = 0;
    for (let at = incoming.start[operator]!; at < incoming.start[operator + 1]!; at += 1) {
      const other = incoming.neighbour[at]!;
      const length = this.#head[other]! + latency[site[other]! * siteCount + target]!;
      if (length > head) head = length;
    }
    let tail = 0;
    for (let at = outgoing.start[operator]!; at < outgoing.start[operator + 1]!; at += 1) {
      const other = outgoing.neighbour[at]!;
      const length = this.#tail[other]! + latency[target * siteCount + site[other]!]!;
      if (length > tail) tail = length;
    }
    const through = head + tail;
    if (through >= this.length) return through;
    const before = this.#head[operator]! + this.#tail[operator]!;
    if (before < this.length * (1 - ROUNDING)) return this.length;
    return this.#recount(operator, head, target);
  }

  /** To be called after `operator` changed its site. */
  update(operator: number): void {
    const { incoming, outgoing, site, latency, siteCount } = this;
    const head = this.#head;
    const tail = this.#tail;
    let largest = operator > 0 ? this.#largest[operator - 1]! : 0;
    for (let each = operator; each < this.#count; each += 1) {
      let longest = 0;
      const own = site[each]!;
      for (let at = incoming.start[each]!; at < incoming.start[each + 1]!; at += 1) {
        const other = incoming.neighbour[at]!;
        const length = head[other]! + latency[site[other]! * siteCount + own]!;
        if (length > longest) longest = length;
      }
      head[each] = longest;
      if (longest > largest) largest = longest;
      this.#largest[each] = largest;
    }
    for (let each = operator; each >= 0; each -= 1) {
      let longest = 0;
      const own = site[each]! * siteCount;
      for (let at = outgoing.start[each]!; at < outgoing.start[each + 1]!; at += 1) {
        const other = outgoing.neighbour[at]!;
        const length = tail[other]! + latency[own + site[other]!]!;
        if (length > longest) longest = length;
      }
      tail[each] = longest;
    }
    this.length = largest;
  }

  /** Counts everything anew. */
  reset(): void {
    if (this.#count === 0) return;
    this.update(this.#count - 1);
    this.update(0);
  }

  #recount(operator: number, headOfOperator: number, target: number): number {
    const { incoming, site, latency, siteCount } = this;
    const head = this.#head;
    const fresh = this.#scratch;
    let largest = operator > 0 ? this.#largest[operator - 1]! : 0;
    if (headOfOperator > largest) largest = headOfOperator;
    fresh[operator] = headOfOperator;
    for (let each = operator + 1; each < this.#count; each += 1) {
      let longest = 0;
      const own = site[each]!;
      for (let at = incoming.start[each]!; at < incoming.start[each + 1]!; at += 1) {
        const other = incoming.neighbour[at]!;
        const arrived = other < operator ? head[other]! : fresh[other]!;
        const from = other === operator ? target : site[other]!;
        const length = arrived + latency[from * siteCount + own]!;
        if (length > longest) longest = length;
      }
      fresh[each] = longest;
      if (longest > largest) largest = longest;
    }
    return largest;
  }
}
