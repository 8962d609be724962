/**
 * The cost model of `garua place`, written from its contract alone and as slowly as it reads: all simple
 * paths between two sites, all paths through the streams. For small models with whole latencies.
 */
import type { Placement, PlacementModel } from '../../../lib/placement';

export interface ReferenceCost {
  objective: number;
  responseTimeMs: number;
  traffic: number;
  resources: number;
  feasible: boolean;
}

interface Hop {
  to: string;
  latencyMs: number;
  bandwidthMbps: number | undefined;
}

interface Route {
  latencyMs: number;
  sites: string[];
}

export class Reference {
  readonly #hops = new Map<string, Hop[]>();
  readonly #routes = new Map<string, Route | undefined>();
  readonly r0: number;
  readonly t0: number;

  constructor(readonly model: PlacementModel) {
    for (const { id } of model.sites) this.#hops.set(id, []);
    for (const link of model.links) {
      const { from, to, latencyMs, bandwidthMbps } = link;
      this.#hops.get(from)!.push({ to, latencyMs, bandwidthMbps });
      const reverse = model.links.find((other) => other.from === to && other.to === from);
      if (!reverse) this.#hops.get(to)!.push({ to: from, latencyMs, bandwidthMbps });
    }
    const pairs: number[] = [];
    for (const a of model.sites) {
      for (const b of model.sites) {
        const distance = this.distance(a.id, b.id);
        if (a !== b && distance !== undefined) pairs.push(distance);
      }
    }
    const mean = pairs.length === 0 ? 0 : pairs.reduce((a, b) => a + b) / pairs.length;
    const bytes = model.streams.reduce((sum, stream) => sum + stream.rate * stream.bytes, 0);
    const atOne = model.sites
      .map(({ id }) => Object.fromEntries(model.operators.map((each) => [each.id, each.pin ?? id])))
      .filter((placement) => model.streams.every((stream) => this.#along(stream, placement) !== undefined));
    const smallest = (values: number[]) => (values.length === 0 ? 0 : Math.min(...values));
    this.r0 = smallest(atOne.map((placement) => this.response(placement))) || mean || 1;
    this.t0 = smallest(atOne.map((placement) => this.traffic(placement))) || mean * bytes || 1;
  }

  distance(a: string, b: string): number | undefined {
    return this.route(a, b)?.latencyMs;
  }

  route(a: string, b: string): Route | undefined {
    const key = JSON.stringify([a, b]);
    if (!this.#routes.has(key)) this.#routes.set(key, this.#bestRoute(a, b));
    return this.#routes.get(key);
  }

  evaluate(placement: Placement): ReferenceCost {
    const { model } = this;
    const feasible = this.feasible(placement);
    const response = this.response(placement);
    const traffic = this.traffic(placement);
    const cpu = model.operators.reduce((sum, operator) => sum + operator.cpu, 0);
    const price = model.operators.reduce((sum, operator) => {
      return sum + operator.cpu * (model.sites.find(({ id }) => id === placement[operator.id])!.cost ?? 1);
    }, 0);
    const resources = cpu === 0 ? 0 : price / cpu;
    const moves = Object.entries(model.current ?? {}).filter(
      ([operator, site]) => operator in placement && placement[operator] !== site,
    ).length;
    const objective =
      (model.weights.latency * response) / this.r0 +
      (model.weights.traffic * traffic) / this.t0 +
      (model.weights.resources ?? 0) * resources +
      (model.moveCost ?? 0) * moves;
    return { objective, responseTimeMs: response, traffic, resources, feasible };
  }

  feasible(placement: Placement): boolean {
    const { model } = this;
    const isWithin = (used: number, capacity: number) => used <= capacity + 1e-9;
    const roomy = model.sites.every((site) => {
      const here = model.operators.filter(({ id }) => placement[id] === site.id);
      const sum = (of: 'cpu' | 'memory') => here.reduce((total, operator) => total + operator[of], 0);
      return isWithin(sum('cpu'), site.cpu) && isWithin(sum('memory'), site.memory);
    });
    const willing = model.operators.every(({ id, pin, allowed }) => {
      return (
        (pin ?? placement[id]) === placement[id] && (allowed ?? [placement[id]]).includes(placement[id]!)
      );
    });
    const load = new Map<string, number>();
    for (const stream of model.streams) {
      const route = this.#along(stream, placement);
      if (!route) return false;
      route.sites.slice(1).forEach((to, index) => {
        const key = JSON.stringify([route.sites[index], to]);
        load.set(key, (load.get(key) ?? 0) + (stream.rate * stream.bytes * 8) / 1e6);
      });
    }
    const wide = [...load].every(([key, mbps]) => {
      const [from, to] = JSON.parse(key) as [string, string];
      const hop = this.#hops.get(from)!.find((each) => each.to === to)!;
      return hop.bandwidthMbps === undefined || isWithin(mbps, hop.bandwidthMbps);
    });
    return roomy && willing && wide;
  }

  response(placement: Placement): number {
    const longestFrom = (operator: string): number =>
      Math.max(
        0,
        ...this.model.streams
          .filter(({ from }) => from === operator)
          .map((stream) => (this.#along(stream, placement)?.latencyMs ?? Infinity) + longestFrom(stream.to)),
      );
    return Math.max(0, ...this.model.operators.map(({ id }) => longestFrom(id)));
  }

  traffic(placement: Placement): number {
    return this.model.streams.reduce((sum, stream) => {
      const route = this.#along(stream, placement);
      return sum + (route ? stream.rate * stream.bytes * route.latencyMs : Infinity);
    }, 0);
  }

  /** The best of all placements; undefined when none is feasible. */
  optimum(): { placement: Placement; cost: ReferenceCost } | undefined {
    const { sites, operators } = this.model;
    let best: { placement: Placement; cost: ReferenceCost } | undefined;
    const visit = (placement: Placement, index: number): void => {
      if (index === operators.length) {
        if (!this.feasible(placement)) return;
        const cost = this.evaluate(placement);
        if (!best || cost.objective < best.cost.objective) best = { placement: { ...placement }, cost };
        return;
      }
      for (const { id } of sites) visit({ ...placement, [operators[index]!.id]: id }, index + 1);
    };
    visit({}, 0);
    return best;
  }

  #along({ from, to }: { from: string; to: string }, placement: Placement): Route | undefined {
    return this.route(placement[from]!, placement[to]!);
  }

  #bestRoute(a: string, b: string): Route | undefined {
    let best: Route | undefined;
    const visit = (sites: string[], latencyMs: number): void => {
      const at = sites.at(-1)!;
      if (at === b) {
        const route = { latencyMs, sites };
        if (!best || isBetter(route, best)) best = route;
        return;
      }
      for (const hop of this.#hops.get(at)!) {
        if (!sites.includes(hop.to)) visit([...sites, hop.to], latencyMs + hop.latencyMs);
      }
    };
    visit([a], 0);
    return best;
  }
}

function isBetter(one: Route, other: Route): boolean {
  if (one.latencyMs !== other.latencyMs) return one.latencyMs < other.latencyMs;
  if (one.sites.length !== other.sites.length) return one.sites.length < other.sites.length;
  const at = one.sites.findIndex((site, index) => site !== other.sites[index]);
  return at >= 0 && one.sites[at]! < other.sites[at]!;
}
