import { execFileSync } from 'node:child_process';
import { Relay } from './relay';

export interface FogNetworkOptions {
  /** Default 3. */
  sites?: number;
  /** Of each site; default 2. */
  hosts?: number;
  /** Of each site's uplink, as tc(8) writes it; default `20mbit`. */
  rate?: string;
  /** From a site to another, one way, in ms; default 20. */
  delayMs?: number;
}

/** A place for a host. */
export interface HostPlace {
  /** Of ip-netns(8). */
  namespace: string;
  address: string;
  /** Numbers from 0. */
  site: number;
  host: number;
}

const ip = (...words: string[]) =>
  execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

const PREFIX = 'garuafog';
let networks = 0;

/**
 * A network of sites that stands apart from the machine's own: each host in its own network namespace, the hosts of
 * a site on a bridge, the sites behind shaped uplinks. Host H of site S has the address 10.77.S.(H + 1). Needs root
 * and gcc.
 */
export class FogNetworkNamespaces {
  readonly places: HostPlace[] = [];
  readonly #routers: string[] = [];
  readonly #relay: Relay;

  private constructor(relay: Relay, routers: string[]) {
    this.#relay = relay;
    this.#routers = routers;
  }

  static async open({
    sites = 3,
    hosts = 2,
    rate = '20mbit',
    delayMs = 20,
  }: FogNetworkOptions = {}): Promise<FogNetworkNamespaces> {
    removeAbandoned();
    networks += 1;
    const routers = Array.from(
      { length: sites },
      (_, site) => `${PREFIX}-${process.pid}-${networks}-${site}`,
    );
    try {
      routers.forEach(addRouter);
      const network = new FogNetworkNamespaces(await Relay.start(routers, delayMs), routers);
      for (const [site, router] of routers.entries()) {
        addUplink(router, rate);
        for (let host = 0; host < hosts; host += 1) network.places.push(addHost(router, site, host));
      }
      return network;
    } catch (error) {
      for (const namespace of namespacesOf(`${PREFIX}-${process.pid}-${networks}-`)) remove(namespace);
      throw error;
    }
  }

  place(site: number, host: number): HostPlace {
    return this.places.find((place) => place.site === site && place.host === host)!;
  }

  /** Takes a site's uplink away: packets are lost without a word. Its hosts still reach each other. */
  cut(site: number): void {
    this.#relay.cut(site);
  }

  heal(site: number): void {
    this.#relay.heal(site);
  }

  /** Bytes that went between sites since the network is there. */
  async bytesBetweenSites(): Promise<number> {
    return (await this.#relay.traffic()).flat().reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Bytes that a site has sent to others since the network is there. */
  async bytesFrom(site: number): Promise<number> {
    return (await this.#relay.traffic())[site]!.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Ends what still runs in it, and takes it away. */
  async close(): Promise<void> {
    await this.#relay.stop();
    for (const { namespace } of this.places) remove(namespace);
    for (const router of this.#routers) remove(router);
  }
}

function addRouter(router: string): void {
  ip('netns', 'add', router);
  ip('-n', router, 'link', 'add', 'br0', 'type', 'bridge');
  ip('netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
}

/** The relay has made `wan0`. */
function addUplink(router: string, rate: string): void {
  const site = Number(router.split('-').at(-1));
  ip('-n', router, 'addr', 'add', `10.77.${site}.254/24`, 'dev', 'br0');
  ip('-n', router, 'link', 'set', 'br0', 'up');
  ip('-n', router, 'link', 'set', 'wan0', 'up');
  ip('-n', router, 'route', 'add', '10.77.0.0/16', 'dev', 'wan0');
  const shape = ['tbf', 'rate', rate, 'burst', '32kb', 'latency', '100ms'];
  execFileSync('tc', ['-n', router, 'qdisc', 'add', 'dev', 'wan0', 'root', ...shape]);
}

function addHost(router: string, site: number, host: number): HostPlace {
  const namespace = `${router}-${host}`;
  const address = `10.77.${site}.${host + 1}`;
  ip('netns', 'add', namespace);
  ip('-n', router, 'link', 'add', `port${host}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  ip('-n', router, 'link', 'set', `port${host}`, 'master', 'br0', 'up');
  ip('-n', namespace, 'addr', 'add', `${address}/24`, 'brd', '+', 'dev', 'eth0');
  ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  ip('-n', namespace, 'link', 'set', 'lo', 'up');
  ip('-n', namespace, 'route', 'add', 'default', 'via', `10.77.${site}.254`);
  return { namespace, address, site, host };
}

/** What a process that was killed has left behind. */
function removeAbandoned(): void {
  for (const namespace of namespacesOf(`${PREFIX}-`)) {
    if (!isAlive(Number(namespace.split('-')[1]))) remove(namespace);
  }
}

function namespacesOf(prefix: string): string[] {
  const names = ip('netns', 'list')
    .split('\n')
    .map((line) => line.split(' ')[0]!);
  return names.filter((name) => name.startsWith(prefix));
}

function remove(namespace: string): void {
  try {
    for (const pid of ip('netns', 'pids', namespace).split('\n').filter(Boolean)) {
      process.kill(Number(pid), 'SIGKILL');
    }
  } catch {
    // It has ended by itself.
  }
  try {
    ip('netns', 'del', namespace);
  } catch {
    // Somebody else has removed it.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
