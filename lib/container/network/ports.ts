import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { PublishedPort } from '../container';
import { invalidField, PortTakenError } from '../errors';
import { isAlive } from '../runtime/process-identity';
import type { ContainerRow } from '../table';
import { type Attachment, allAttachments, hostNamespace, otherContainer } from './attachments';

/**
 * Makes sure that nobody has the ports: no other container of this or another data directory, and no program of the
 * host, which is tried.
 * A container's own ports, which its replacement takes over, do not count.
 *
 * @throws {PortTakenError} {InvalidArgumentError} when the host has no such address
 */
export async function checkPortsFree(
  name: string,
  ports: Required<PublishedPort>[],
  containers: ContainerRow[],
): Promise<void> {
  const others = containers.filter((row) => row.name !== name && row.state === 'running');
  const own = containers.find((row) => row.name === name && row.state === 'running');
  const elsewhere = ports.length > 0 ? await ofOtherDirectories(containers) : [];
  for (const port of ports) {
    const holder = others.find((row) => row.ports.some((taken) => collide(taken, port)));
    if (holder) throw new PortTakenError(port.hostPort, port.protocol, `container ${holder.name}`);
    const other = elsewhere.find(({ ports }) => ports.some((taken) => collide(taken, port)));
    if (other) throw new PortTakenError(port.hostPort, port.protocol, otherContainer(other));
    if (own?.ports.some((taken) => collide(taken, port))) continue;
    if (!(await canBind(port)))
      throw new PortTakenError(port.hostPort, port.protocol, 'a program of this host');
  }
}

/** Their ports are rules of the kernel, which no bind can find. */
async function ofOtherDirectories(containers: ContainerRow[]): Promise<Attachment[]> {
  const here = hostNamespace();
  const own = new Set(containers.map(({ id }) => id));
  const attachments = (await allAttachments()).filter(
    ({ id, hostNamespace }) => !own.has(id) && hostNamespace === here,
  );
  const alive = await Promise.all(attachments.map(({ process }) => isAlive(process)));
  return attachments.filter((_, index) => alive[index]);
}

/** Whether two containers cannot publish these at the same time. */
export function collide(a: PublishedPort, b: PublishedPort): boolean {
  const everywhere = [a.hostAddress, b.hostAddress].some((address) => !address || address === '0.0.0.0');
  const address = everywhere || a.hostAddress === b.hostAddress;
  return a.hostPort === b.hostPort && (a.protocol ?? 'tcp') === (b.protocol ?? 'tcp') && address;
}

function canBind({ hostPort, hostAddress, protocol }: Required<PublishedPort>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else if (error.code !== 'EADDRNOTAVAIL') reject(error);
      else reject(invalidField('ports', `this host has no address ${hostAddress}`));
    };
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
