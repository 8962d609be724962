import { isIPv4 } from 'node:net';
import type { PublishedPort } from '../container';
import { invalidField } from '../errors';
import { fields, list, oneOf, wholeNumber } from './checks';

export const portNumber = wholeNumber(1, 65_535, 'a port number');

export function checkPorts(value: unknown, field: string): void {
  list(value, field).forEach((item, index) => {
    const where = `${field}[${index}]`;
    const checks = {
      hostPort: portNumber,
      containerPort: portNumber,
      protocol: oneOf(['tcp', 'udp']),
      hostAddress: checkAddress,
    };
    fields(item, where, checks);
    const { hostPort, containerPort } = item as Partial<PublishedPort>;
    portNumber(hostPort, `${where}.hostPort`);
    portNumber(containerPort, `${where}.containerPort`);
  });
}

function checkAddress(value: unknown, field: string): void {
  if (typeof value !== 'string' || !isIPv4(value))
    throw invalidField(field, `"${value}" is not an IPv4 address`);
}

/** `ports` have passed `checkPorts`. @throws {InvalidArgumentError} */
export function completePorts(ports: PublishedPort[], network: string): Required<PublishedPort>[] {
  if (ports.length > 0 && network !== 'bridge') {
    throw invalidField(
      'ports',
      `nothing can be published from the network "${network}"`,
      'Leave the ports out (with the network "host" they are the host\'s own), or use the bridge.',
    );
  }
  const taken = new Set<string>();
  return ports.map(({ hostPort, containerPort, protocol = 'tcp', hostAddress = '0.0.0.0' }) => {
    const key = `${hostAddress} ${hostPort} ${protocol}`;
    if (taken.has(key)) throw invalidField('ports', `the host's port ${hostPort} stands there twice`);
    taken.add(key);
    return { hostPort, containerPort, protocol, hostAddress };
  });
}
