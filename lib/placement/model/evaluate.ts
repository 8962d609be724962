import type { PlacementEvaluation, PlacementModel } from '../placement';
import { compile, NO_SITE, type Problem, TOLERANCE } from './problem';

/** What a placement is measured by, before it is weighed. */
export interface RawCost {
  responseTimeMs: number;
  traffic: number;
  resources: number;
  moves: number;
}

/** The weights of the objective, normalised: objective = sum of factor x raw value. */
export interface Scale {
  responseTimeMs: number;
  traffic: number;
  resources: number;
  moves: number;
}

/** The longest path and the traffic of a placement (site by operator); Infinity where a path lacks. */
export function flowCost(problem: Problem, sites: ArrayLike<number>): { response: number; traffic: number } {
  const { streamFrom, streamTo, streamBytes, latency, siteIds } = problem;
  const arrival = new Float64Array(problem.operatorIds.length);
  let response = 0;
  let traffic = 0;
  for (let stream = 0; stream < streamFrom.length; stream += 1) {
    const from = streamFrom[stream]!;
    const to = streamTo[stream]!;
    const distance = latency[sites[from]! * siteIds.length + sites[to]!]!;
    arrival[to] = Math.max(arrival[to]!, arrival[from]! + distance);
    response = Math.max(response, arrival[to]!);
    // 0 bytes over no path would be NaN.
    traffic += distance === Number.POSITIVE_INFINITY ? distance : streamBytes[stream]! * distance;
  }
  return { response, traffic };
}

export function rawCost(problem: Problem, sites: ArrayLike<number>): RawCost {
  const { response, traffic } = flowCost(problem, sites);
  let price = 0;
  let moves = 0;
  for (let operator = 0; operator < problem.operatorIds.length; operator += 1) {
    price += problem.cpu[operator]! * problem.siteCost[sites[operator]!]!;
    if (problem.current[operator] !== NO_SITE && problem.current[operator] !== sites[operator]) moves += 1;
  }
  const resources = problem.totalCpu > 0 ? price / problem.totalCpu : 0;
  return { responseTimeMs: response, traffic, resources, moves };
}

/** R0 and T0 as the contract defines them, and what they make of the weights. */
export function scaleOf(problem: Problem): Scale {
  const { siteIds, pin, weights } = problem;
  let smallestResponse = Number.POSITIVE_INFINITY;
  let smallestTraffic = Number.POSITIVE_INFINITY;
  for (let site = 0; site < siteIds.length; site += 1) {
    const { response, traffic } = flowCost(
      problem,
      pin.map((pinned) => (pinned < 0 ? site : pinned)),
    );
    smallestResponse = Math.min(smallestResponse, response);
    smallestTraffic = Math.min(smallestTraffic, traffic);
  }
  const mean = meanLatency(problem);
  const totalBytes = problem.streamBytes.reduce((sum, bytes) => sum + bytes, 0);
  return {
    responseTimeMs: weights.latency / firstUsable(smallestResponse, mean),
    traffic: weights.traffic / firstUsable(smallestTraffic, mean * totalBytes),
    resources: weights.resources,
    moves: problem.moveCost,
  };
}

export function weigh(raw: RawCost, scale: Scale): number {
  return (
    times(scale.responseTimeMs, raw.responseTimeMs) +
    times(scale.traffic, raw.traffic) +
    scale.resources * raw.resources +
    scale.moves * raw.moves
  );
}

/** The constraints that a placement breaks, in words; none means feasible. */
export function violationsOf(problem: Problem, sites: ArrayLike<number>): string[] {
  const { siteIds, operatorIds, streamFrom, streamTo, paths } = problem;
  const found: string[] = [];
  const cpu = new Float64Array(siteIds.length);
  const memory = new Float64Array(siteIds.length);
  for (let operator = 0; operator < operatorIds.length; operator += 1) {
    const site = sites[operator]!;
    cpu[site]! += problem.cpu[operator]!;
    memory[site]! += problem.memory[operator]!;
    if (!problem.candidates[operator]!.includes(site)) {
      found.push(`operator ${operatorIds[operator]} may not run at ${siteIds[site]}`);
    }
  }
  siteIds.forEach((id, site) => {
    if (cpu[site]! > problem.siteCpu[site]! + TOLERANCE) {
      found.push(`site ${id}: cpu ${cpu[site]} of ${problem.siteCpu[site]}`);
    }
    if (memory[site]! > problem.siteMemory[site]! + TOLERANCE) {
      found.push(`site ${id}: memory ${memory[site]} of ${problem.siteMemory[site]}`);
    }
  });
  const mbps = new Float64Array(paths.links.length);
  for (let stream = 0; stream < streamFrom.length; stream += 1) {
    const from = sites[streamFrom[stream]!]!;
    const to = sites[streamTo[stream]!]!;
    if (problem.latency[from * siteIds.length + to] === Number.POSITIVE_INFINITY) {
      const ends = `${operatorIds[streamFrom[stream]!]} -> ${operatorIds[streamTo[stream]!]}`;
      found.push(`stream ${ends}: no path from ${siteIds[from]} to ${siteIds[to]}`);
    } else {
      paths.eachLink(from, to, (link) => {
        mbps[link]! += problem.streamMbps[stream]!;
      });
    }
  }
  paths.links.forEach(({ from, to, bandwidthMbps }, link) => {
    if (mbps[link]! <= bandwidthMbps + TOLERANCE) return;
    found.push(`link ${siteIds[from]} -> ${siteIds[to]}: ${mbps[link]} of ${bandwidthMbps} Mbit/s`);
  });
  return found;
}

export function evaluateSites(problem: Problem, scale: Scale, sites: ArrayLike<number>): PlacementEvaluation {
  const raw = rawCost(problem, sites);
  const violations = violationsOf(problem, sites);
  return { objective: weigh(raw, scale), ...raw, feasible: violations.length === 0, violations };
}

/**
 * What a placement of a checked model costs, and whether it holds.
 * @throws {RangeError} if an operator has no place, or one that the model does not list.
 */
export function evaluatePlacement(
  model: PlacementModel,
  placement: Readonly<Record<string, string>>,
): PlacementEvaluation {
  const problem = compile(model);
  const sites = problem.operatorIds.map((id) => {
    const site = Object.hasOwn(placement, id) ? problem.siteIds.indexOf(placement[id]!) : -1;
    if (site < 0) throw new RangeError(`operator ${id} is placed at no site of the model`);
    return site;
  });
  return evaluateSites(problem, scaleOf(problem), sites);
}

function meanLatency({ latency, siteIds }: Problem): number {
  let sum = 0;
  let pairs = 0;
  for (let from = 0; from < siteIds.length; from += 1) {
    for (let to = 0; to < siteIds.length; to += 1) {
      const distance = latency[from * siteIds.length + to]!;
      if (from === to || distance === Number.POSITIVE_INFINITY) continue;
      sum += distance;
      pairs += 1;
    }
  }
  return pairs > 0 ? sum / pairs : 0;
}

function firstUsable(...values: number[]): number {
  return values.find((value) => value > 0 && value < Number.POSITIVE_INFINITY) ?? 1;
}

/** A weight of 0 leaves even an infinite value out. */
function times(factor: number, value: number): number {
  return factor === 0 ? 0 : factor * value;
}
