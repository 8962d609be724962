import { join } from 'node:path';
import { eventually } from '../../mesh/support/mesh-process';
import type { FogNetworkNamespaces } from './fog-network-namespaces';
import { NetworkHost, type NetworkHostOptions } from './network-host';

const SITES = ['north', 'south', 'west', 'east'];
/** On a machine that is busy with six hosts that start at once, in ms. */
const PATIENCE = 60_000;

/**
 * Starts a `garua host` in every place of a network and makes a fog of them by invites: `north0`, `north1`,
 * `south0` and so on, the hosts of a site on one NAS folder. Resolves when each sees all.
 */
export async function startHosts(
  network: FogNetworkNamespaces,
  folder: string,
  more: Partial<NetworkHostOptions> = {},
): Promise<NetworkHost[]> {
  const hosts = network.places.map((place) => {
    const site = SITES[place.site]!;
    const name = `${site}${place.host}`;
    const [data, nas] = [join(folder, name), join(folder, `nas-${site}`)];
    return new NetworkHost(place, { name, site, data, nas, ...more });
  });
  await Promise.all(hosts.map((host) => host.start()));
  const [first, ...others] = hosts as [NetworkHost, ...NetworkHost[]];
  const invite = await first.use(async (host) => {
    await host.fogCreate({ name: 'city' });
    return host.fogInvite({ uses: others.length });
  });
  for (const other of others) await other.use((host) => host.fogJoin(invite));
  await untilAllSeeAll(hosts);
  return hosts;
}

/** Waits until each of these hosts sees these, and no others, up. */
export async function untilAllSeeAll(hosts: NetworkHost[]): Promise<void> {
  const names = hosts
    .map(({ name }) => name)
    .sort()
    .join(' ');
  for (const host of hosts) await eventually(() => host.sees(), names, PATIENCE);
}
