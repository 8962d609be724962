import { createServer } from 'node:net';
import { ListenError } from '../errors';

/** The port a host listens on when nobody says otherwise and it is free. */
export const DEFAULT_PORT = 4747;

/** Multiaddrs to tell others: without the peer ID, and loopback only where there is nothing else. */
export function announced(addresses: string[]): string[] {
  const bare = [...new Set(addresses.map((address) => address.replace(/\/p2p\/\w+$/, '')))].sort();
  const outside = bare.filter((address) => !/^\/ip4\/127\.|^\/ip6\/::1\//.test(address));
  return outside.length > 0 ? outside : bare;
}

/** The first of the ports that is free on all addresses; 0 = any. */
export async function choosePort(wishes: number[]): Promise<number> {
  for (const port of wishes) if (await isFree(port)) return port;
  return 0;
}

export function portOf(address: string): number | undefined {
  const port = /\/tcp\/(\d+)/.exec(address)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** @throws {ListenError} for text that is no TCP multiaddr. */
export function checkListen(address: string): string {
  if (!/^\/(ip4|ip6)\/[0-9a-fA-F.:]+\/tcp\/\d{1,5}$/.test(address)) throw new ListenError(address);
  return address;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}
