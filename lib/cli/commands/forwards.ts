import { type Command, withHost } from '../command';
import { printJson, printTable } from '../output';

/** `garua forwards`: ports of containers that have moved away. */
export const forwards: Command = {
  name: 'forwards',
  usage: '[--json]',
  summary:
    'List published ports of containers that have moved away: connections to them are passed on to where the container is, until their time is over or nobody comes any more (garua migrate --forward SECONDS).',
  options: {},
  positionals: { minimum: 0, maximum: 0 },
  run: (invocation) =>
    withHost(invocation, async (host) => {
      const all = await host.forwards();
      if (invocation.options.json) return printJson(all);
      printTable(
        ['PORT', 'CONTAINER', 'NOW ON', 'STATE', 'CONNECTIONS', 'OPEN', 'UNTIL'],
        all.map(({ hostAddress, hostPort, container, to, state, connections, open, until }) => [
          hostAddress === '0.0.0.0' ? String(hostPort) : `${hostAddress}:${hostPort}`,
          container,
          to,
          state,
          String(connections),
          String(open),
          new Date(until).toLocaleTimeString(),
        ]),
      );
    }),
};
