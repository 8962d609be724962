import { formatSize } from '../../base';
import { type Command, withHost } from '../command';
import { printJson, printTable } from '../output';

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
      printTable(
        ['SITE', 'HOST', 'STATE', 'ROUND TRIP', 'ARCH', 'CPUS', 'FREE MEMORY', 'ADDRESS'],
        all.flatMap(({ site, hosts }) =>
          hosts.map(({ name, state, rttMs, arch, cpus, freeMemory, addresses }) => [
            site,
            name,
            state,
            rttMs === null ? '-' : `${rttMs.toFixed(1)} ms`,
            arch ?? '-',
            cpus === null ? '-' : String(cpus),
            freeMemory === null ? '-' : formatSize(freeMemory),
            addresses[0] ?? '-',
          ]),
        ),
      );
    }),
};
