import { formatSize } from '../../base';
import type { SiteHost } from '../../host';
import { type Command, withHost } from '../command';
import { formatRoundTrip, printGroupedTable, printJson } from '../output';

/** `garua sites`: the hosts of the fog, by site. */
export const sites: Command = {
  name: 'sites',
  usage: '[--json]',
  summary: 'List the sites of the fog and their hosts.',
  options: {},
  positionals: { minimum: 0, maximum: 0 },
  run: (invocation) =>
    withHost(invocation, async (host) => {
      const all = await host.sites();
      if (invocation.options.json) return printJson(all);
      printGroupedTable(
        ['SITE', 'HOST', 'STATE', 'ROUND TRIP', 'MACHINE', 'FREE MEMORY', 'PEER', 'ADDRESS'],
        1,
        all.flatMap(({ site, hosts }) => hosts.map((each) => [site, ...describe(each)])),
      );
    }),
};

function describe({ name, state, rttMs, arch, cpus, freeMemory, peerId, addresses }: SiteHost): string[] {
  // What a host that is away said last would read as if it were so now.
  const away = state === 'down';
  return [
    name,
    state,
    away ? '-' : formatRoundTrip(rttMs),
    arch === null ? '-' : `${arch}, ${cpus} ${cpus === 1 ? 'core' : 'cores'}`,
    away || freeMemory === null ? '-' : formatSize(freeMemory),
    // All peer IDs begin alike; so much tells hosts apart, and is enough to name one.
    peerId.slice(0, 16),
    addresses.map(shortAddress).join(' ') || '-',
  ];
}

/** `/ip4/10.0.0.5/tcp/4747` as people write it. */
function shortAddress(address: string): string {
  const [, version, host, port] = /^\/(ip4|ip6)\/([^/]+)\/tcp\/(\d+)$/.exec(address) ?? [];
  if (!host) return address;
  return version === 'ip6' ? `[${host}]:${port}` : `${host}:${port}`;
}
