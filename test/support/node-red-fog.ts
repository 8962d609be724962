/** Several Node-REDs on hosts of one fog, each with a site of its own, as users at several places have them. */
import { equal } from 'node:assert/strict';
import { DataDirectory } from '../../lib/base';
import { openHost } from '../../lib/control';
import type { Host } from '../../lib/host';
import { eventually } from '../mesh/support/mesh-process';
import type { FlowNode } from './node-red';
import { type NodeRedProcess, startNodeRed } from './node-red-process';

const PATIENCE = 60_000;

/** A Node-RED and the host that it runs. */
export interface Place {
  nodeRed: NodeRedProcess;
  /** Reaches the host in that process. */
  host: Host;
}

/** One for each name: its host is called so, and its site `site-NAME`. Its nodes use the fog-host `host`. */
export async function startNodeRedFog<N extends string>(names: N[]): Promise<Record<N, Place>> {
  const running = await Promise.all(names.map(() => startNodeRed()));
  const places = {} as Record<N, Place>;
  try {
    let invite: string | undefined;
    for (const [index, name] of names.entries()) {
      const nodeRed = running[index]!;
      await deployFlow(nodeRed, name, waiting);
      const host = await reach(nodeRed.dataDirectory);
      places[name] = { nodeRed, host };
      if (invite) await host.fogJoin(invite);
      else await host.fogCreate();
      invite ??= await host.fogInvite({ uses: names.length });
    }
    for (const name of names) await eventually(() => upIn(places[name].host), names.length, PATIENCE);
    return places;
  } catch (error) {
    for (const nodeRed of running) await nodeRed.stop();
    throw error;
  }
}

/** Removes what containers there are, and ends all of it. */
export async function stopNodeRedFog(places: Place[]): Promise<void> {
  for (const { host } of places) {
    for (const { name } of await host.containers()) await host.remove(name, { force: true, graceMs: 0 });
    await host.close();
  }
  for (const { nodeRed } of places) await nodeRed.stop();
}

/** What the Deploy button does, with the fog-host `host` and the tab `tab` beside the nodes. */
export async function deployFlow(
  { url, dataDirectory }: NodeRedProcess,
  name: string,
  nodes: FlowNode[],
): Promise<void> {
  const flows = [
    { id: 'tab', type: 'tab', label: name },
    { id: 'host', type: 'fog-host', name, site: `site-${name}`, dataDirectory },
    ...nodes,
  ];
  const answer = await fetch(`${url}flows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'node-red-deployment-type': 'full' },
    body: JSON.stringify(flows),
  });
  equal(answer.status, 204, await answer.text());
}

/** A node that makes Node-RED open its host. */
const waiting: FlowNode[] = [
  { id: 'waiting', z: 'tab', type: 'fog-in', topic: 'waiting', host: 'host', x: 150, y: 40, wires: [[]] },
];

/** The host in the other process; without its socket this process would become the owner. */
async function reach(dataDirectory: string): Promise<Host> {
  const socket = new DataDirectory(dataDirectory).controlSocket;
  const reached: Host[] = [];
  const open = async () => reached.push(await openHost({ socket }));
  await eventually(open, 1, PATIENCE);
  return reached[0]!;
}

async function upIn(host: Host): Promise<number> {
  const sites = await host.sites();
  return sites.flatMap((site) => site.hosts).filter(({ state }) => state === 'up').length;
}
