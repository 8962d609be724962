import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHost } from '../../../lib/control';
import type { Host } from '../../../lib/host';
import { eventually } from '../../mesh/support/mesh-process';
import { FogNetworkNamespaces, type HostPlace, OWN_RUN } from '../../support/network';
import type { FlowNode } from '../../support/node-red';
import { installNodeRed } from '../../support/node-red-process';

const PATIENCE = 60_000;
const SITES = ['sensors', 'quay', 'dashboard'] as const;
type Site = (typeof SITES)[number];

/** A Node-RED at one site, and the host in its process. */
interface Place {
  child: ChildProcess;
  host: Host;
}

/** Three sites with a Node-RED each, in network namespaces with 20 ms and 20 Mbit/s between them. */
export class NodeRedFog {
  readonly network: FogNetworkNamespaces;
  readonly #places: Record<Site, Place>;
  readonly #folder: string;

  private constructor(network: FogNetworkNamespaces, places: Record<Site, Place>, folder: string) {
    this.network = network;
    this.#places = places;
    this.#folder = folder;
  }

  static async start(): Promise<NodeRedFog> {
    const folder = mkdtempSync(join(tmpdir(), 'garua-bench-'));
    const network = await FogNetworkNamespaces.open({ sites: SITES.length, hosts: 1 });
    const places = {} as Record<Site, Place>;
    const fog = new NodeRedFog(network, places, folder);
    try {
      await Promise.all(
        SITES.map(async (site, index) => {
          places[site] = await startPlace(network.place(index, 0), site, join(folder, site));
        }),
      );
      await fog.#meet();
      return fog;
    } catch (error) {
      await fog.stop();
      throw error;
    }
  }

  host(site: Site): Host {
    return this.#places[site].host;
  }

  async stop(): Promise<void> {
    for (const { child, host } of Object.values(this.#places)) {
      await host?.close();
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }
    await this.network.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #meet(): Promise<void> {
    const [first, ...others] = SITES.map((site) => this.host(site)) as [Host, ...Host[]];
    await first.fogCreate({ name: 'bench' });
    const invite = await first.fogInvite({ uses: others.length });
    for (const host of others) await host.fogJoin(invite);
    for (const host of [first, ...others]) await eventually(() => upIn(host), SITES.length, PATIENCE);
  }
}

async function startPlace({ namespace }: HostPlace, site: Site, folder: string): Promise<Place> {
  const dataDirectory = join(folder, 'data');
  mkdirSync(folder, { recursive: true });
  const command = installNodeRed(folder, { uiPort: 1880, garua: { dataDirectory } });
  const flow: FlowNode[] = [
    { id: 'tab', type: 'tab', label: site },
    { id: 'host', type: 'fog-host', name: site, site, dataDirectory },
    // Makes Node-RED open its host.
    { id: 'in', z: 'tab', type: 'fog-in', topic: 'waiting', host: 'host', x: 100, y: 100, wires: [[]] },
  ];
  writeFileSync(join(folder, 'flows.json'), JSON.stringify(flow));
  const inside = [`--net=/run/netns/${namespace}`, ...OWN_RUN, ...command];
  const child = spawn('nsenter', inside, { stdio: 'ignore' });
  const hosts: Host[] = [];
  const reach = async () => hosts.push(await openHost({ socket: join(dataDirectory, 'garua.sock') }));
  await eventually(reach, 1, PATIENCE);
  return { child, host: hosts[0]! };
}

async function upIn(host: Host): Promise<number> {
  return (await host.sites()).flatMap(({ hosts }) => hosts).filter(({ state }) => state === 'up').length;
}
