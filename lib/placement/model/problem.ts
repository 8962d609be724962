import type { PlacementModel } from '../placement';
import { type DirectedLink, ShortestPaths } from './paths';
import { streamOrder } from './stream-order';

/** How far a sum may exceed a capacity. */
export const TOLERANCE = 1e-9;

/** `current` names a site that is no more, or none at all. */
export const NO_SITE = -1;
export const LOST_SITE = -2;

/**
 * A model by numbers. Sites are numbered as in the model; operators along the streams, so that each stream
 * goes from a smaller number to a larger one.
 */
export interface Problem {
  siteIds: string[];
  siteCpu: Float64Array;
  siteMemory: Float64Array;
  siteCost: Float64Array;
  paths: ShortestPaths;
  /** Of `paths`: at `a * sites + b`, in ms. */
  latency: Float64Array;

  operatorIds: string[];
  /** The model's operators in its order, by number. */
  modelOrder: number[];
  cpu: Float64Array;
  memory: Float64Array;
  /** The sites that pin and `allowed` leave, capacity not considered. */
  candidates: Int32Array[];
  /** Site, or NO_SITE. */
  pin: Int32Array;
  /** Site, NO_SITE, or LOST_SITE. */
  current: Int32Array;

  /** Streams are sorted by target: whatever reaches a stream's origin stands before it. */
  streamFrom: Int32Array;
  streamTo: Int32Array;
  /** Bytes per second. */
  streamBytes: Float64Array;
  streamMbps: Float64Array;

  weights: { latency: number; traffic: number; resources: number };
  moveCost: number;
  /** Sum of the operators' demand. */
  totalCpu: number;
}

/** @throws {PlacementModelError} if the streams form a cycle. */
export function compile(model: PlacementModel): Problem {
  const siteIds = model.sites.map(({ id }) => id);
  const siteIndex = new Map(siteIds.map((id, index) => [id, index]));
  const site = (id: string) => siteIndex.get(id)!;
  const order = streamOrder(model);
  const operators = order.map((index) => model.operators[index]!);
  const operatorIndex = new Map(operators.map(({ id }, index) => [id, index]));
  const operator = (id: string) => operatorIndex.get(id)!;
  const paths = new ShortestPaths(siteIds, directedLinks(model, site));
  const streams = model.streams.toSorted((a, b) => operator(a.to) - operator(b.to));
  const pin = Int32Array.from(operators, (each) => (each.pin === undefined ? NO_SITE : site(each.pin)));
  const everywhere = Int32Array.from(siteIds.keys());
  return {
    siteIds,
    siteCpu: Float64Array.from(model.sites, ({ cpu }) => cpu),
    siteMemory: Float64Array.from(model.sites, ({ memory }) => memory),
    siteCost: Float64Array.from(model.sites, ({ cost }) => cost ?? 1),
    paths,
    latency: paths.latency,
    operatorIds: operators.map(({ id }) => id),
    modelOrder: model.operators.map(({ id }) => operator(id)),
    cpu: Float64Array.from(operators, ({ cpu }) => cpu),
    memory: Float64Array.from(operators, ({ memory }) => memory),
    candidates: operators.map(({ allowed }, index) => {
      const sites = allowed ? Int32Array.from(new Set(allowed.map(site))).sort() : everywhere;
      return pin[index]! < 0 ? sites : sites.filter((each) => each === pin[index]);
    }),
    pin,
    current: Int32Array.from(operators, ({ id }) => {
      const { current } = model;
      if (!current || !Object.hasOwn(current, id)) return NO_SITE;
      return siteIndex.get(current[id]!) ?? LOST_SITE;
    }),
    streamFrom: Int32Array.from(streams, ({ from }) => operator(from)),
    streamTo: Int32Array.from(streams, ({ to }) => operator(to)),
    streamBytes: Float64Array.from(streams, ({ rate, bytes }) => rate * bytes),
    streamMbps: Float64Array.from(streams, ({ rate, bytes }) => (rate * bytes * 8) / 1e6),
    weights: { ...model.weights, resources: model.weights.resources ?? 0 },
    moveCost: model.moveCost ?? 0,
    totalCpu: model.operators.reduce((sum, { cpu }) => sum + cpu, 0),
  };
}

function directedLinks({ links }: PlacementModel, site: (id: string) => number): DirectedLink[] {
  const given = new Set(links.map(({ from, to }) => JSON.stringify([from, to])));
  const directed: DirectedLink[] = [];
  for (const { from, to, latencyMs, bandwidthMbps = Number.POSITIVE_INFINITY } of links) {
    directed.push({ from: site(from), to: site(to), latencyMs, bandwidthMbps });
    if (given.has(JSON.stringify([to, from]))) continue;
    directed.push({ from: site(to), to: site(from), latencyMs, bandwidthMbps });
  }
  return directed;
}
