import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { PublishedPort } from '../container';
import { PortTakenError } from '../errors';
import type { ContainerRow } from '../table';

/**
 * Makes sure that nobody has the ports: no other container by the index, no program of the host by trying.
 * A container's own ports, which its replacement takes over, do not count.
 *
 * @throws {PortTakenError}
 */
export async function checkPortsFree(
  name: string,
  ports: Required<PublishedPort>[],
  containers: ContainerRow[],
): Promise<void> {
  const others = containers.filter((row) => row.name !== name && row.state === 'running');
  const own = containers.find((row) => row.name === name && row.state === 'running');
  for (const port of ports) {
    const holder = others.find((row) => row.ports.some((taken) => collide(taken, port)));
    if (holder) throw new PortTakenError(port.hostPort, port.protocol, `container ${holder.name}`);
    if (own?.ports.some((taken) => collide(taken, port))) continue;
    if (!(await canBind(port)))
      throw new PortTakenError(port.hostPort, port.protocol, 'a program of this host');
  }
}

/** Whether two containers cannot publish these at the same time. */
export function collide(a: PublishedPort, b: PublishedPort): boolean {
  const everywhere = [a.hostAddress, b.hostAddress].some((address) => !address || address === '0.0.0.0');
  const address = everywhere || a.hostAddress === b.hostAddress;
  return a.hostPort === b.hostPort && (a.protocol ?? 'tcp') === (b.protocol ?? 'tcp') && address;
}

function canBind({ hostPort, hostAddress, protocol }: Required<PublishedPort>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error);
    if (protocol === 'udp') {
      const socket = createSocket('udp4');
      socket.once('error', refuse);
      socket.bind(hostPort, hostAddress, () => socket.close(() => resolve(true)));
    } else {
      const server = createServer();
      server.once('error', refuse);
      server.listen({ port: hostPort, host: hostAddress, exclusive: true }, () =>
        server.close(() => resolve(true)),
      );
    }
  });
}
