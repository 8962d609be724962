import { type Command, longCall, text, UsageError, withHost } from '../command';
import { graceOf } from '../grace';
import { printJson, printTable, withProgressBar } from '../output';

/** `garua scale`: so many instances of a container's service in the fog. */
export const scale: Command = {
  name: 'scale',
  usage: 'NAME N [--sites SITE,...] [--drain SECONDS] [--time SECONDS] [--json]',
  summary:
    'Run N instances of a container that offers a service, at most one on each host. --sites: only at these sites. --drain: how long open connections of one that is removed may go on (default 10), --time: how long its program may take to end (default 10). 0 removes all of them.',
  options: {
    sites: { type: 'string' },
    drain: { type: 'string' },
    time: { type: 'string', short: 't' },
  },
  positionals: { minimum: 2, maximum: 2 },
  async run(invocation) {
    const { options, positionals } = invocation;
    const [name, number] = positionals as [string, string];
    if (!/^\d{1,4}$/.test(number)) throw new UsageError(`"${number}" is not a number of instances`);
    const request = {
      replicas: Number(number),
      sites: sitesOf(text(options, 'sites')),
      drainMs: graceOf(text(options, 'drain'), 'drain'),
      graceMs: graceOf(text(options, 'time')),
    };
    await withHost(invocation, async (host) => {
      const result = await withProgressBar((onProgress) =>
        host.scale(name, { ...longCall(invocation, onProgress), ...request }),
      );
      for (const host of result.missing ?? []) process.stderr.write(`not asked: ${host}\n`);
      if (options.json) return printJson(result);
      printTable(
        ['CONTAINER', 'SERVICE', 'HOST', 'SITE', 'STATE'],
        result.instances.map((one) => [one.container, result.service, one.host, one.site, one.state]),
      );
    });
  },
};

function sitesOf(list: string | undefined): string[] | undefined {
  if (list === undefined) return undefined;
  const sites = list.split(',').map((site) => site.trim());
  if (sites.includes('')) throw new UsageError('--sites takes names of sites, separated by commas');
  return sites;
}
