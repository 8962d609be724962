/** A link in one direction, sites by index. */
export interface DirectedLink {
  from: number;
  to: number;
  latencyMs: number;
  /** Infinity when unlimited. */
  bandwidthMbps: number;
}

/** Sums of the same latencies in another order differ by rounding; such paths tie. */
const ROUNDING = 1e-12;

/**
 * Shortest paths by latency between all sites. Of paths that tie, the one with the fewest links is taken,
 * then the one whose sequence of site ids is smallest (by code units).
 */
export class ShortestPaths {
  readonly siteCount: number;
  /** At `a * siteCount + b`; Infinity where there is no path. */
  readonly latency: Float64Array;
  /** The link that enters b on the path from a, at `a * siteCount + b`; -1 where a is b or no path. */
  readonly #lastLink: Int32Array;

  constructor(
    siteIds: string[],
    readonly links: DirectedLink[],
  ) {
    const count = siteIds.length;
    this.siteCount = count;
    this.latency = new Float64Array(count * count).fill(Number.POSITIVE_INFINITY);
    this.#lastLink = new Int32Array(count * count).fill(-1);
    const search = new Search(siteIds, links);
    for (let source = 0; source < count; source += 1) {
      search.run(source);
      this.latency.set(search.latency, source * count);
      this.#lastLink.set(search.lastLink, source * count);
    }
  }

  /** Calls `visit` with each link of the path from a to b, last link first. */
  eachLink(a: number, b: number, visit: (link: number) => void): void {
    for (let at = b; at !== a; ) {
      const link = this.#lastLink[a * this.siteCount + at]!;
      if (link < 0) return;
      visit(link);
      at = this.links[link]!.from;
    }
  }
}

/** Dijkstra's algorithm on (latency, links), then the order of site ids level by level. */
class Search {
  readonly latency: Float64Array;
  readonly lastLink: Int32Array;
  readonly #hops: Int32Array;
  readonly #outgoing: number[][];
  readonly #incoming: number[][];
  /** Place of a site among all by id. */
  readonly #idRank: Int32Array;
  /** Place of a site's path among the paths with as many links. */
  readonly #pathRank: Int32Array;

  constructor(
    siteIds: string[],
    readonly links: DirectedLink[],
  ) {
    const count = siteIds.length;
    this.latency = new Float64Array(count);
    this.lastLink = new Int32Array(count);
    this.#hops = new Int32Array(count);
    this.#idRank = new Int32Array(count);
    this.#pathRank = new Int32Array(count);
    this.#outgoing = siteIds.map(() => []);
    this.#incoming = siteIds.map(() => []);
    links.forEach(({ from, to }, index) => {
      this.#outgoing[from]!.push(index);
      this.#incoming[to]!.push(index);
    });
    const sorted = siteIds.map((id, index) => ({ id, index })).sort((a, b) => (a.id < b.id ? -1 : 1));
    sorted.forEach(({ index }, rank) => {
      this.#idRank[index] = rank;
    });
  }

  run(source: number): void {
    this.#measure(source);
    this.#choose(source);
  }

  #measure(source: number): void {
    const { latency } = this;
    const hops = this.#hops;
    const open = new Set<number>([source]);
    latency.fill(Number.POSITIVE_INFINITY);
    hops.fill(0);
    this.lastLink.fill(-1);
    latency[source] = 0;
    while (open.size > 0) {
      let nearest = -1;
      for (const site of open) {
        if (nearest < 0 || precedes(latency[site]!, hops[site]!, latency[nearest]!, hops[nearest]!)) {
          nearest = site;
        }
      }
      open.delete(nearest);
      for (const index of this.#outgoing[nearest]!) {
        const { to, latencyMs } = this.links[index]!;
        const reached = latency[nearest]! + latencyMs;
        if (!precedes(reached, hops[nearest]! + 1, latency[to]!, hops[to]!)) continue;
        latency[to] = reached;
        hops[to] = hops[nearest]! + 1;
        this.lastLink[to] = index;
        open.add(to);
      }
    }
  }

  #choose(source: number): void {
    const { latency, lastLink } = this;
    const hops = this.#hops;
    const rank = this.#pathRank;
    rank[source] = 0;
    const levels: number[][] = [];
    for (let site = 0; site < latency.length; site += 1) {
      if (site === source || latency[site] === Number.POSITIVE_INFINITY) continue;
      levels[hops[site]!] ??= [];
      levels[hops[site]!]!.push(site);
    }
    for (const level of levels) {
      if (!level) continue;
      for (const site of level) {
        let best = -1;
        for (const index of this.#incoming[site]!) {
          const { from, latencyMs } = this.links[index]!;
          if (hops[from]! + 1 !== hops[site]! || (hops[from] === 0 && from !== source)) continue;
          if (!ties(latency[from]! + latencyMs, latency[site]!)) continue;
          if (best < 0 || rank[from]! < rank[this.links[best]!.from]!) best = index;
        }
        if (best >= 0) lastLink[site] = best;
      }
      const before = (site: number) => rank[this.links[lastLink[site]!]!.from]!;
      level.sort((a, b) => before(a) - before(b) || this.#idRank[a]! - this.#idRank[b]!);
      level.forEach((site, place) => {
        rank[site] = place;
      });
    }
  }
}

function ties(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= ROUNDING * Math.min(a, b);
}

function precedes(latency: number, hops: number, otherLatency: number, otherHops: number): boolean {
  return ties(latency, otherLatency) ? hops < otherHops : latency < otherLatency;
}
