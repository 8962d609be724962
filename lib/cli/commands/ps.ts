import type { ContainerStatus, PublishedPort } from '../../container';
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
        ['NAME', 'IMAGE', 'STATE', 'HEALTH', 'RESTARTS', 'PID', 'ADDRESS', 'PORTS', 'STARTED'],
        containers.map((container) => [
          container.name,
          container.image,
          describeState(container),
          container.health === 'none' ? '-' : container.health,
          String(container.restarts),
          container.pid === null ? '-' : String(container.pid),
          container.address ?? '-',
          container.ports.map(describePort).join(' ') || '-',
          container.startedAt === null ? '-' : formatAge(Date.parse(container.startedAt)),
        ]),
      );
    }),
};

function describeState({ state, exitCode, reason, rolledBack }: ContainerStatus): string {
  const ended = state !== 'running';
  const details = [
    ended && exitCode !== null ? `status ${exitCode}` : undefined,
    ended && reason !== null ? reason : undefined,
    rolledBack ? `kept, for the new version failed: ${rolledBack.code}` : undefined,
  ].filter((detail) => detail !== undefined);
  return details.length > 0 ? `${state} (${details.join(', ')})` : state;
}

function describePort({ hostAddress, hostPort, containerPort, protocol }: PublishedPort): string {
  const address = hostAddress && hostAddress !== '0.0.0.0' ? `${hostAddress}:` : '';
  return `${address}${hostPort}:${containerPort}${protocol === 'udp' ? '/udp' : ''}`;
}
