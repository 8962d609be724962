import { formatSize } from '../../base';
import type { Outlook } from '../../host';
import { type Command, longCall, text, withHost } from '../command';
import { formatRoundTrip, printGroupedTable, printJson, printTable } from '../output';

/** `garua outlook`: what decides whether containers had better run elsewhere. */
export const outlook: Command = {
  name: 'outlook',
  usage: '[--user HOST|ADDRESS:PORT] [--json]',
  summary: 'Show what the triggers of the migrate node go by: how busy hosts are, and how far a user is.',
  options: { user: { type: 'string' } },
  positionals: { minimum: 0, maximum: 0 },
  run: (invocation) =>
    withHost(invocation, async (host) => {
      const user = text(invocation.options, 'user');
      const seen = await host.outlook({ ...longCall(invocation), user });
      if (invocation.options.json) return printJson(seen);
      print(seen, user);
    }),
};

function print({ self, others, containers, troubles, latencies }: Outlook, user: string | undefined): void {
  const hosts = [self, ...others].map(({ name, site, cpus, freeCpus, freeMemory }) => [
    site,
    name,
    `${freeCpus.toFixed(1)} of ${cpus}`,
    formatSize(freeMemory),
    ...(user === undefined ? [] : [formatRoundTrip(latencies[site] ?? null)]),
  ]);
  const title = user === undefined ? [] : [`TO ${user}`];
  printGroupedTable(['SITE', 'HOST', 'FREE CORES', 'FREE MEMORY', ...title], 1, hosts);
  if (containers.length > 0) {
    process.stdout.write('\n');
    const rows = containers.map(({ name, priority, cpus, memory }) => [
      name,
      String(priority),
      cpus.toFixed(2),
      formatSize(memory),
    ]);
    printTable(['CONTAINER', 'PRIORITY', 'CORES', 'MEMORY'], rows);
  }
  for (const trouble of troubles) process.stdout.write(`${self.name}: ${trouble}\n`);
}
