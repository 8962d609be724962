import type { PlacementLink, PlacementModel, PlacementOperator, PlacementStream } from './placement';
import { Random } from './search/random';

export interface GeneratorOptions {
  operators: number;
  sites: number;
  /** A non-negative integer. */
  seed: number;
  /** Measured latencies between sites in ms, `null` where unknown; else sites lie on a plane. */
  latencyMs?: (number | null)[][] | undefined;
  /** Share of the sites' capacity that the operators need. Default 0.5. */
  utilisation?: number | undefined;
  /** Give links a bandwidth. Default false. */
  bandwidth?: boolean | undefined;
}

/** Operators per source of data. */
const OPERATORS_PER_SOURCE = 5;

/**
 * A random model in the shape of a fog application: sources pinned where the sensors are, layers of
 * operators that join and thin out streams, a dashboard pinned somewhere. The same seed gives the same model.
 */
export function randomModel(options: GeneratorOptions): PlacementModel {
  const { operators: operatorCount, sites: siteCount, seed, utilisation = 0.5 } = options;
  const random = new Random(seed, 0x6d6f64);
  const siteIds = Array.from({ length: siteCount }, (_, index) => `site-${index + 1}`);
  const operators = randomOperators(operatorCount, siteIds, random);
  const demand = { cpu: sumOf(operators, 'cpu'), memory: sumOf(operators, 'memory') };
  const shares = siteIds.map(() => random.between(0.5, 1.5));
  const total = shares.reduce((sum, share) => sum + share, 0);
  const largest = { cpu: maxOf(operators, 'cpu'), memory: maxOf(operators, 'memory') };
  // What is pinned somewhere fits there, whatever the draw.
  const capacity = (of: 'cpu' | 'memory', site: number) => {
    const pinned = operators.filter(({ pin }) => pin === siteIds[site]);
    const share = (demand[of] / utilisation) * (shares[site]! / total);
    return round(Math.max(share, sumOf(pinned, of) + largest[of]), of === 'cpu' ? 2 : 0);
  };
  return {
    sites: siteIds.map((id, site) => ({
      id,
      cpu: capacity('cpu', site),
      memory: capacity('memory', site),
      cost: round(random.between(0.5, 2), 2),
    })),
    links: options.latencyMs
      ? measuredLinks(siteIds, options.latencyMs, options.bandwidth ? random : undefined)
      : randomLinks(siteIds, random, options.bandwidth ?? false),
    operators,
    streams: randomStreams(operators, random),
    weights: { latency: 0.5, traffic: 0.5 },
  };
}

function randomOperators(count: number, siteIds: string[], random: Random): PlacementOperator[] {
  const sources = Math.max(1, Math.floor(count / OPERATORS_PER_SOURCE));
  return Array.from({ length: count }, (_, index) => ({
    id: `operator-${index + 1}`,
    cpu: round(random.between(0.05, 1), 2),
    memory: Math.round(random.between(16, 256)),
    pin: index < sources || (index === count - 1 && count > 1) ? random.pick(siteIds) : undefined,
  }));
}

/** Each operator hears one or two that stand a little before it; each but the last is heard. */
function randomStreams(operators: PlacementOperator[], random: Random): PlacementStream[] {
  const streams: PlacementStream[] = [];
  const sources = Math.max(1, Math.floor(operators.length / OPERATORS_PER_SOURCE));
  const rate: number[] = operators.map(() => 0);
  const heard = new Set<number>();
  const join = (from: number, to: number) => {
    if (streams.some((each) => each.from === operators[from]!.id && each.to === operators[to]!.id)) return;
    heard.add(from);
    rate[to]! += rate[from]! * random.between(0.1, 0.9);
    streams.push({
      from: operators[from]!.id,
      to: operators[to]!.id,
      rate: round(rate[from]!, 2),
      bytes: Math.round(random.between(50, 4000)),
    });
  };
  for (let to = 0; to < operators.length; to += 1) {
    if (to < sources) {
      rate[to] = random.between(10, 200);
      continue;
    }
    const reach = Math.min(to, 2 * sources + 2);
    const unheard = [...Array(reach).keys()].map((back) => to - 1 - back).filter((from) => !heard.has(from));
    join(unheard.length > 0 ? unheard.at(-1)! : to - 1 - random.below(reach), to);
    if (random.fraction() < 0.5) join(to - 1 - random.below(reach), to);
  }
  const last = operators.length - 1;
  for (let from = 0; from < last; from += 1) if (!heard.has(from)) join(from, last);
  return streams;
}

/** Sites on a plane: each linked to its nearest neighbours and to one that came before it. */
function randomLinks(siteIds: string[], random: Random, isLimited: boolean): PlacementLink[] {
  const points = siteIds.map(() => [random.fraction(), random.fraction()] as const);
  const distance = (a: number, b: number) =>
    Math.hypot(points[a]![0] - points[b]![0], points[a]![1] - points[b]![1]);
  const pairs = new Set<string>();
  siteIds.forEach((_id, site) => {
    const others = [...siteIds.keys()].filter((other) => other !== site);
    others.sort((a, b) => distance(site, a) - distance(site, b));
    const joined = others.slice(0, 3);
    const earlier = others.find((other) => other < site);
    if (earlier !== undefined) joined.push(earlier);
    for (const other of joined) pairs.add(`${Math.min(site, other)} ${Math.max(site, other)}`);
  });
  return [...pairs].map((pair) => {
    const [from, to] = pair.split(' ').map(Number) as [number, number];
    const latencyMs = round(1 + 60 * distance(from, to) * random.between(1, 1.4), 2);
    return link(siteIds, from, to, latencyMs, isLimited ? random : undefined);
  });
}

function measuredLinks(siteIds: string[], latencyMs: (number | null)[][], random?: Random): PlacementLink[] {
  const links: PlacementLink[] = [];
  siteIds.forEach((_from, from) => {
    siteIds.forEach((_to, to) => {
      const latency = latencyMs[from]?.[to];
      if (from === to || typeof latency !== 'number') return;
      links.push(link(siteIds, from, to, latency, random));
    });
  });
  return links;
}

function link(
  siteIds: string[],
  from: number,
  to: number,
  latencyMs: number,
  random?: Random,
): PlacementLink {
  const bandwidth = random ? { bandwidthMbps: round(random.between(5, 50), 1) } : {};
  return { from: siteIds[from]!, to: siteIds[to]!, latencyMs, ...bandwidth };
}

function sumOf(operators: PlacementOperator[], of: 'cpu' | 'memory'): number {
  return operators.reduce((sum, operator) => sum + operator[of], 0);
}

function maxOf(operators: PlacementOperator[], of: 'cpu' | 'memory'): number {
  return operators.reduce((max, operator) => Math.max(max, operator[of]), 0);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
