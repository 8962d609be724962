import type { ViewedContainer, ViewedHost } from './trigger';

/** Shares of a host, 0 to 1. */
export interface Shares {
  cpu: number;
  memory: number;
}

type Weight = Pick<ViewedContainer, 'cpus' | 'memory'>;

const NOTHING: Weight = { cpus: 0, memory: 0 };

/** How much of a host is in use once it has more to carry. */
export function used(host: ViewedHost, more: Weight = NOTHING): Shares {
  return {
    cpu: 1 - (host.freeCpus - more.cpus) / host.cpus,
    memory: 1 - (host.freeMemory - more.memory) / host.memory,
  };
}

/** Of two shares the larger one is what slows a host down. */
export const busiest = ({ cpu, memory }: Shares) => Math.max(cpu, memory);

export function isBelow(shares: Shares, limit: Shares): boolean {
  return shares.cpu <= limit.cpu && shares.memory <= limit.memory;
}

/** What is to find room. */
export type Load = Weight & Pick<ViewedContainer, 'avoids'>;

/** The host with most room left once the container is there; undefined when it would bring each over the limit. */
export function roomiest(
  hosts: readonly ViewedHost[],
  container: Load,
  limit: Shares,
): ViewedHost | undefined {
  const left = (host: ViewedHost) => busiest(used(host, container));
  return hosts
    .filter((host) => !container.avoids.includes(host.name) && isBelow(used(host, container), limit))
    .sort((a, b) => left(a) - left(b) || (a.peerId < b.peerId ? -1 : 1))[0];
}

/** Memory must be there, or the container dies; a busy processor only makes it slow. */
export const MEMORY_FITS: Shares = { cpu: Number.POSITIVE_INFINITY, memory: 0.95 };
