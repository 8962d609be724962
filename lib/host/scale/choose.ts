/** A host as far as a choice among hosts goes. */
export interface Candidate {
  peerId: string;
  site: string;
  /** Bytes that processes could still get; 0 where it is not known. */
  freeMemory: number;
  /** Idle cores; 0 where it is not known. */
  freeCpus: number;
}

/** An instance as far as a choice among instances goes. */
export interface Candidacy extends Candidate {
  ready: boolean;
  /** Connections it was given of late. */
  recent: number;
  /** Whether it runs on the host that was asked. */
  here: boolean;
}

/**
 * The host for one more instance: at the site with the fewest of them, of these the one with the most free memory in
 * all; there the host with the most free memory, then with the most idle cores.
 *
 * @param taken sites of the instances there are
 */
export function nextHost<T extends Candidate>(hosts: T[], taken: string[]): T | undefined {
  const free = new Map<string, number>();
  for (const { site, freeMemory } of hosts) free.set(site, (free.get(site) ?? 0) + freeMemory);
  const count = (site: string) => taken.filter((other) => other === site).length;
  return hosts.toSorted(
    (one, other) =>
      count(one.site) - count(other.site) ||
      free.get(other.site)! - free.get(one.site)! ||
      // Sites with as much: the hosts of one stay together.
      one.site.localeCompare(other.site) ||
      other.freeMemory - one.freeMemory ||
      other.freeCpus - one.freeCpus ||
      one.peerId.localeCompare(other.peerId),
  )[0];
}

/**
 * The instance to go next: one that is not ready; else at the site with the most of them, the one that was given the
 * fewest connections of late, being the farthest from the demand; else that of the host with the least free memory.
 * That of the host that was asked goes last, whatever the others are.
 */
export function nextToGo<T extends Candidacy>(instances: T[]): T | undefined {
  const count = (site: string) => instances.filter((other) => other.site === site).length;
  return instances.toSorted(
    (one, other) =>
      Number(one.here) - Number(other.here) ||
      Number(one.ready) - Number(other.ready) ||
      count(other.site) - count(one.site) ||
      one.recent - other.recent ||
      one.freeMemory - other.freeMemory ||
      one.peerId.localeCompare(other.peerId),
  )[0];
}
