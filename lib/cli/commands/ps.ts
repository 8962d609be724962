import type { ContainerStatus } from '../../container';
import { type Command, withHost } from '../command';
import { formatAge, printJson, printTable } from '../output';

/** `garua ps`: the containers of this host. */
export const ps: Command = {
  name: 'ps',
  usage: '[--json]',
  summary: 'List the containers on this host, running or not.',
  options: {},
  positionals: { minimum: 0, maximum: 0 },
  run: (invocation) =>
    withHost(invocation, async (host) => {
      const containers = await host.containers();
      if (invocation.options.json) return printJson(containers);
      printTable(
        ['NAME', 'IMAGE', 'STATE', 'PID', 'PORTS', 'STARTED'],
        containers.map((container) => [
          container.name,
          container.image,
          describeState(container),
          container.pid === null ? '-' : String(container.pid),
          container.ports.map((port) => `${port.hostPort}:${port.containerPort}`).join(' ') || '-',
          container.startedAt === null ? '-' : formatAge(Date.parse(container.startedAt)),
        ]),
      );
    }),
};

function describeState({ state, exitCode, reason }: ContainerStatus): string {
  if (state === 'running') return state;
  const details = [exitCode === null ? undefined : `status ${exitCode}`, reason ?? undefined];
  return `${state} (${details.filter((detail) => detail !== undefined).join(', ')})`;
}
