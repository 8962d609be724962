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
  /** Operators whose head or tail may have changed, and how far they lie. */
  readonly #headChanged: Uint8Array;
  readonly #tailChanged: Uint8Array;
  #lastHead = 0;
  #firstTail = 0;

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
    this.#headChanged = new Uint8Array(this.#count);
    this.#tailChanged = new Uint8Array(this.#count);
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
    this.#markAround(operator);
    this.#updateHeads(operator);
    this.#updateTails(operator);
  }

  /** Counts everything anew. */
  reset(): void {
    this.length = 0;
    if (this.#count === 0) return;
    this.#headChanged.fill(1);
    this.#tailChanged.fill(1);
    this.#lastHead = this.#count - 1;
    this.#firstTail = 0;
    this.#updateHeads(0);
    this.#updateTails(this.#count - 1);
  }

  /** Its own head and its targets' depend on where it runs; so do its own tail and its sources'. */
  #markAround(operator: number): void {
    this.#lastHead = operator;
    this.#firstTail = operator;
    this.#headChanged[operator] = 1;
    this.#tailChanged[operator] = 1;
    this.#markTargets(operator);
    this.#markSources(operator);
  }

  #markTargets(operator: number): void {
    const { start, neighbour } = this.outgoing;
    for (let at = start[operator]!; at < start[operator + 1]!; at += 1) {
      const target = neighbour[at]!;
      this.#headChanged[target] = 1;
      if (target > this.#lastHead) this.#lastHead = target;
    }
  }

  #markSources(operator: number): void {
    const { start, neighbour } = this.incoming;
    for (let at = start[operator]!; at < start[operator + 1]!; at += 1) {
      const source = neighbour[at]!;
      this.#tailChanged[source] = 1;
      if (source < this.#firstTail) this.#firstTail = source;
    }
  }

  #updateHeads(first: number): void {
    const { incoming, site, latency, siteCount } = this;
    const head = this.#head;
    const changed = this.#headChanged;
    for (let each = first; each <= this.#lastHead; each += 1) {
      if (changed[each] === 0) continue;
      changed[each] = 0;
      let longest = 0;
      const own = site[each]!;
      for (let at = incoming.start[each]!; at < incoming.start[each + 1]!; at += 1) {
        const other = incoming.neighbour[at]!;
        const length = head[other]! + latency[site[other]! * siteCount + own]!;
        if (length > longest) longest = length;
      }
      if (longest === head[each]) continue;
      head[each] = longest;
      this.#markTargets(each);
    }
    let largest = first > 0 ? this.#largest[first - 1]! : 0;
    for (let each = first; each < this.#count; each += 1) {
      if (head[each]! > largest) largest = head[each]!;
      this.#largest[each] = largest;
    }
    this.length = largest;
  }

  #updateTails(last: number): void {
    const { outgoing, site, latency, siteCount } = this;
    const tail = this.#tail;
    const changed = this.#tailChanged;
    for (let each = last; each >= this.#firstTail; each -= 1) {
      if (changed[each] === 0) continue;
      changed[each] = 0;
      let longest = 0;
      const own = site[each]! * siteCount;
      for (let at = outgoing.start[each]!; at < outgoing.start[each + 1]!; at += 1) {
        const other = outgoing.neighbour[at]!;
        const length = tail[other]! + latency[own + site[other]!]!;
        if (length > longest) longest = length;
      }
      if (longest === tail[each]) continue;
      tail[each] = longest;
      this.#markSources(each);
    }
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
