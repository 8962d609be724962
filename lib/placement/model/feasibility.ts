import { type Contradiction, listed, narrowDomains } from './domains';
import { type Problem, TOLERANCE } from './problem';

/**
 * Looks for a constraint that no placement meets, by reasons that fit in a sentence: an operator that fits
 * nowhere, a stream that no path carries, operators that have only some sites to share, pinned streams that
 * overload a link. What is left may still be infeasible.
 * @returns the problem with the sites that are ruled out removed, or the contradiction.
 */
export function narrow(problem: Problem): Problem | Contradiction {
  const candidates = narrowDomains(problem);
  if (typeof candidates === 'string') return candidates;
  const narrowed = { ...problem, candidates };
  return overfull(problem, candidates) ?? overloaded(narrowed) ?? narrowed;
}

/** Operators that have no sites but those of a group must fit into that group together. */
function overfull(problem: Problem, domains: Int32Array[]): Contradiction | undefined {
  const groups = new Map<string, Int32Array>();
  for (const sites of [...domains].sort((a, b) => a.length - b.length)) groups.set(sites.join(), sites);
  for (const sites of groups.values()) {
    const isOfGroup = new Uint8Array(problem.siteIds.length);
    for (const site of sites) isOfGroup[site] = 1;
    const members = [...domains.keys()].filter((each) =>
      domains[each]!.every((site) => isOfGroup[site] === 1),
    );
    const found =
      exceeds(problem, sites, members, problem.cpu, problem.siteCpu, 'cpu') ??
      exceeds(problem, sites, members, problem.memory, problem.siteMemory, 'memory');
    if (found) return found;
  }
  return undefined;
}

function exceeds(
  problem: Problem,
  sites: Int32Array,
  members: number[],
  demand: Float64Array,
  capacity: Float64Array,
  unit: string,
): Contradiction | undefined {
  const need = members.reduce((sum, operator) => sum + demand[operator]!, 0);
  const have = sites.reduce((sum, site) => sum + capacity[site]!, 0);
  // Summing in another order may give another last digit.
  if (need <= (have + TOLERANCE * sites.length) * (1 + 1e-12)) return undefined;
  const { operatorIds, siteIds, pin } = problem;
  const amounts = `need ${unit} ${shown(need)}, more than the ${shown(have)}`;
  if (members.length === operatorIds.length && sites.length === siteIds.length) {
    return `all operators together ${amounts} of all sites together`;
  }
  const names = listed(members.map((operator) => operatorIds[operator]!));
  const where = listed([...sites].map((site) => siteIds[site]!));
  const kind = members.every((operator) => pin[operator]! >= 0) ? 'pinned to' : 'that can run only at';
  return `the operators ${kind} ${where} (${names}) ${amounts} there`;
}

/** Streams whose ends have one site each are on their links in any placement. */
function overloaded(problem: Problem): Contradiction | undefined {
  const { candidates, streamFrom, streamTo, streamMbps, paths, siteIds, operatorIds } = problem;
  const loads = new Map<number, { mbps: number; streams: string[] }>();
  for (let stream = 0; stream < streamFrom.length; stream += 1) {
    const from = streamFrom[stream]!;
    const to = streamTo[stream]!;
    if (candidates[from]!.length !== 1 || candidates[to]!.length !== 1) continue;
    paths.eachLink(candidates[from]![0]!, candidates[to]![0]!, (link) => {
      const load = loads.get(link) ?? { mbps: 0, streams: [] };
      load.mbps += streamMbps[stream]!;
      load.streams.push(`${operatorIds[from]} -> ${operatorIds[to]}`);
      loads.set(link, load);
    });
  }
  for (const [link, { mbps, streams }] of loads) {
    const { from, to, bandwidthMbps } = paths.links[link]!;
    if (mbps <= (bandwidthMbps + TOLERANCE) * (1 + 1e-12)) continue;
    const name = `link ${siteIds[from]} -> ${siteIds[to]}`;
    return `${name}: the streams ${listed(streams)} need a bandwidth of ${shown(mbps)} Mbit/s, it has ${bandwidthMbps}`;
  }
  return undefined;
}

function shown(value: number): string {
  return `${Number(value.toPrecision(9))}`;
}
