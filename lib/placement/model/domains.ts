import { type Problem, TOLERANCE } from './problem';

/** A constraint that no placement meets, in words. */
export type Contradiction = string;

/** The smallest bandwidth on the path of each pair of sites; -1 where no path is. */
export function bottlenecks({ paths, latency, siteIds }: Problem): Float64Array {
  const count = siteIds.length;
  const smallest = new Float64Array(count * count).fill(Number.POSITIVE_INFINITY);
  for (let from = 0; from < count; from += 1) {
    for (let to = 0; to < count; to += 1) {
      const pair = from * count + to;
      if (latency[pair] === Number.POSITIVE_INFINITY) smallest[pair] = -1;
      paths.eachLink(from, to, (link) => {
        smallest[pair] = Math.min(smallest[pair]!, paths.links[link]!.bandwidthMbps);
      });
    }
  }
  return smallest;
}

/**
 * Leaves each operator only the sites where it fits and from where each of its streams reaches a site that
 * is left to the other end (arc consistency, AC-1). What it removes is part of no feasible placement.
 * @returns the sites left, or the constraint that left none.
 */
export function narrowDomains(problem: Problem): Int32Array[] | Contradiction {
  const { operatorIds, candidates, cpu, memory, siteCpu, siteMemory, siteIds } = problem;
  const domains: Int32Array[] = [];
  for (let operator = 0; operator < operatorIds.length; operator += 1) {
    const fitting = candidates[operator]!.filter(
      (site) =>
        cpu[operator]! <= siteCpu[site]! + TOLERANCE && memory[operator]! <= siteMemory[site]! + TOLERANCE,
    );
    if (fitting.length === 0) return explainNowhere(problem, operator);
    domains.push(fitting);
  }
  const smallest = bottlenecks(problem);
  if (smallest.every((bandwidth) => bandwidth === Number.POSITIVE_INFINITY)) return domains;
  return propagate(problem, domains, smallest, siteIds.length);
}

function propagate(
  problem: Problem,
  domains: Int32Array[],
  smallest: Float64Array,
  count: number,
): Int32Array[] | Contradiction {
  const { streamFrom, streamTo, streamMbps } = problem;
  for (let changed = true; changed; ) {
    changed = false;
    for (let stream = 0; stream < streamFrom.length; stream += 1) {
      const from = streamFrom[stream]!;
      const to = streamTo[stream]!;
      const carries = (a: number, b: number) =>
        streamMbps[stream]! <= smallest[a * count + b]! + TOLERANCE && smallest[a * count + b]! >= 0;
      const origins = domains[from]!.filter((a) => domains[to]!.some((b) => carries(a, b)));
      const targets = domains[to]!.filter((b) => origins.some((a) => carries(a, b)));
      if (origins.length === 0) return explainStream(problem, stream, domains, smallest);
      changed ||= origins.length < domains[from]!.length || targets.length < domains[to]!.length;
      domains[from] = origins;
      domains[to] = targets;
    }
  }
  return domains;
}

function explainNowhere(problem: Problem, operator: number): Contradiction {
  const { operatorIds, candidates, pin, cpu, memory, siteCpu, siteMemory, siteIds } = problem;
  const name = operatorIds[operator];
  const sites = candidates[operator]!;
  if (sites.length === 0) {
    if (pin[operator]! >= 0) {
      return `operator ${name} is pinned to ${siteIds[pin[operator]!]}, which its allowed sites do not include`;
    }
    return siteIds.length === 0
      ? `operator ${name} can run nowhere: the model has no sites`
      : `operator ${name} can run nowhere: its list of allowed sites is empty`;
  }
  const where = pin[operator]! >= 0 ? 'the site it is pinned to' : 'any site where it may run';
  const tooLarge = (need: Float64Array, capacity: Float64Array, unit: string) => {
    const largest = sites.reduce(
      (best, site) => (capacity[site]! > capacity[best]! ? site : best),
      sites[0]!,
    );
    if (need[operator]! <= capacity[largest]! + TOLERANCE) return undefined;
    const most = `${siteIds[largest]} has ${capacity[largest]}`;
    return `operator ${name} needs ${unit} ${need[operator]}, more than ${where} has (${most})`;
  };
  return (
    tooLarge(cpu, siteCpu, 'cpu') ??
    tooLarge(memory, siteMemory, 'memory') ??
    `operator ${name} needs cpu ${cpu[operator]} and memory ${memory[operator]}, which no site where it may run has together`
  );
}

function explainStream(
  problem: Problem,
  stream: number,
  domains: Int32Array[],
  smallest: Float64Array,
): Contradiction {
  const { operatorIds, siteIds, streamFrom, streamTo, streamMbps } = problem;
  const from = streamFrom[stream]!;
  const to = streamTo[stream]!;
  const ends = `stream ${operatorIds[from]} -> ${operatorIds[to]}`;
  const names = (sites: Int32Array) => listed([...sites].map((site) => siteIds[site]!));
  const places = `from ${names(domains[from]!)} to ${names(domains[to]!)}`;
  let widest = -1;
  for (const a of domains[from]!) {
    for (const b of domains[to]!) widest = Math.max(widest, smallest[a * siteIds.length + b]!);
  }
  if (widest < 0) return `${ends}: there is no path ${places}`;
  return `${ends} needs a bandwidth of ${streamMbps[stream]} Mbit/s, but the path ${places} has ${widest}`;
}

/** A list for a sentence, cut when it gets long. */
export function listed(names: string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
