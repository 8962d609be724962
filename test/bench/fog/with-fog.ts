import { FogNetworkNamespaces, type NetworkHost, startHosts } from '../../support/network';
import type { Bench } from '../harness/bench';
import { removeTree } from '../harness/work-area';

export interface Fog {
  network: FogNetworkNamespaces;
  /** Two of each of three sites, site by site. */
  hosts: NetworkHost[];
  /** Of the first site: the writer, and its neighbour on the same NAS. */
  writer: NetworkHost;
  neighbour: NetworkHost;
  /** The hosts of another site. */
  remote: NetworkHost;
  second: NetworkHost;
  folder: string;
}

/** A network of sites for one case; taken away with what runs in it when the case, or the bench, ends. */
export async function withNetwork<T>(
  bench: Bench,
  use: (network: FogNetworkNamespaces) => Promise<T>,
): Promise<T> {
  const network = await FogNetworkNamespaces.open();
  let open = true;
  const close = async () => {
    if (open) await network.close();
    open = false;
  };
  bench.cleanup.defer('the network of the fog', close);
  try {
    return await use(network);
  } finally {
    await close();
  }
}

/** A fog of `garua host` daemons for one case. */
export function withFog<T>(bench: Bench, name: string, use: (fog: Fog) => Promise<T>): Promise<T> {
  return withNetwork(bench, async (network) => {
    const folder = bench.area.folder('disk', name);
    const hosts = await startHosts(network, folder);
    try {
      const [writer, neighbour, remote, second] = hosts as [
        NetworkHost,
        NetworkHost,
        NetworkHost,
        NetworkHost,
      ];
      return await use({ network, hosts, writer, neighbour, remote, second, folder });
    } finally {
      await Promise.all(hosts.map((host) => host.stop('SIGKILL')));
      await removeTree(folder);
    }
  });
}
