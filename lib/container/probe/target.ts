import type { PublishedPort } from '../container';

/** Where the question goes. */
export interface Target {
  host: string;
  port: number;
  /** It is the container, not some other host that was named. */
  itself: boolean;
}

/** What of a container decides where it is asked. */
export interface Reachable {
  network?: 'host' | 'none' | 'bridge';
  /** On the bridge. */
  address: string | null;
  ports: PublishedPort[];
}

/**
 * The address of the container itself where `host` is missing or means "this machine": on the bridge its own, else
 * the loopback of the host. A published port of the host means the port of the container behind it, unless the
 * container has that port too.
 */
export function probeTarget(host: string, port: number, container: Reachable): Target {
  if (!meansItself(host)) return { host, port, itself: false };
  if (container.network === 'host' || !container.address) return { host: 'localhost', port, itself: true };
  const { ports, address } = container;
  const known = ports.some(({ containerPort }) => containerPort === port);
  const behind = ports.find(({ hostPort, protocol }) => hostPort === port && protocol !== 'udp');
  return { host: address, port: known || !behind ? port : behind.containerPort, itself: true };
}

function meansItself(host: string): boolean {
  return ['', 'localhost', '0.0.0.0', '[::]', '[::1]', '::1'].includes(host) || /^127(\.\d+){3}$/.test(host);
}
