import type { Host, ServiceStatus } from '../../host';
import { type Command, UsageError, withHost } from '../command';
import { formatRoundTrip, printGroupedTable, printJson } from '../output';

/** `garua services`: what containers of the fog offer by name. */
export const services: Command = {
  name: 'services',
  usage: '[use NAME | release NAME] [--json]',
  summary:
    'List the services of the fog. use opens a port on 127.0.0.1, while a host runs here, that leads to the nearest ready instance; it stays the same until release.',
  options: {},
  positionals: { minimum: 0, maximum: 2 },
  async run(invocation) {
    const [action, name] = invocation.positionals;
    const act = action === undefined ? list : ACTIONS[action as keyof typeof ACTIONS];
    if (!act) throw new UsageError(`garua services does not know "${action}"`);
    if (action !== undefined && name === undefined) throw new UsageError(`services ${action} needs a name`);
    await withHost(invocation, (host) => act(host, invocation.options.json === true, name!));
  },
};

async function list(host: Host, json: boolean): Promise<void> {
  const all = await host.services();
  if (json) return printJson(all);
  printGroupedTable(
    ['SERVICE', 'PORT HERE', 'CONTAINER', 'HOST', 'SITE', 'STATE', 'ROUND TRIP'],
    2,
    all.flatMap(rowsOf),
  );
}

async function use(host: Host, json: boolean, name: string): Promise<void> {
  const service = await host.useService(name);
  if (json) return printJson(service);
  const ready = service.instances.filter(({ state }) => state === 'ready');
  const nearest = ready[0] ? `now ${ready[0].container} on ${ready[0].host}` : 'no instance is ready yet';
  process.stdout.write(`${name} is at 127.0.0.1:${service.port} (${nearest})\n`);
}

async function release(host: Host, json: boolean, name: string): Promise<void> {
  await host.releaseService(name);
  if (json) printJson({ name, port: null });
  else process.stdout.write(`${name} has no port here any more\n`);
}

const ACTIONS = { use, release };

function rowsOf({ name, port, instances }: ServiceStatus): string[][] {
  const service = [name, port === null ? '-' : String(port)];
  if (instances.length === 0) return [[...service, '-', '-', '-', 'nowhere', '-']];
  return instances.map(({ container, host, site, state, rttMs }) => [
    ...service,
    container,
    host,
    site,
    state,
    formatRoundTrip(rttMs),
  ]);
}
