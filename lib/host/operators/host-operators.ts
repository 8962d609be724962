import { readFile } from 'node:fs/promises';
import type { Database, DataDirectory } from '../../base';
import type { FogMesh } from '../../mesh';
import {
  type FlowEvent,
  FlowOwner,
  type FlowPlacement,
  type HostContainers,
  InstanceContainers,
  InstanceTable,
  LocalRuntime,
  type OperatorPorts,
  type OperatorStatus,
  type PlacedFlow,
  runtimeOver,
  serveRuntime,
  Tabs,
} from '../../placement';
import type { HostFog } from '../fog';
import type { HostMessages } from '../messages';
import type { PeerGate } from '../peers';
import { capacityOf } from './capacity';
import { MeshView } from './mesh-view';

export interface HostOperatorsOptions {
  directory: DataDirectory;
  database: Database;
  fog: HostFog;
  messages: HostMessages;
  peers: PeerGate;
  ports: OperatorPorts;
  containers: HostContainers;
  /** The editor of this machine's Node-RED, and a file with a token for it. */
  nodeRed: string | undefined;
  nodeRedTokenFile: string | undefined;
}

/** Between two looks whether the tabs in Node-RED are those that should be there, in ms. */
const MEND = 60_000;

interface Parts {
  runtime: LocalRuntime;
  containers: InstanceContainers;
  owner: FlowOwner;
  mending: NodeJS.Timeout;
}

/** The operators that this host runs, and those of the flows that it owns; there as soon as its mesh is open. */
export class HostOperators implements FlowPlacement {
  readonly #options: HostOperatorsOptions;
  #parts: Promise<Parts> | undefined;

  constructor(options: HostOperatorsOptions) {
    this.#options = options;
    options.fog.whenOpen((mesh) => {
      // The call that needs them says why they cannot be opened.
      this.#attach(mesh).catch(() => {});
    });
  }

  /** Operators that run here hear of this process at once, also where nobody asks it anything. */
  resume(): void {
    const table = new InstanceTable(this.#options.database);
    if (table.all().length > 0) this.#open().catch(() => {});
  }

  async *placeFlow(
    flow: PlacedFlow,
    options: { signal?: AbortSignal | undefined },
  ): AsyncIterable<FlowEvent> {
    yield* (await this.#open()).owner.placeFlow(flow, options);
  }

  async removeFlow(flow: string): Promise<void> {
    await (await this.#open()).owner.removeFlow(flow);
  }

  async operators(): Promise<OperatorStatus[]> {
    return (await this.#open()).owner.operators();
  }

  async moveOperator(flow: string, operator: string, site: string): Promise<OperatorStatus> {
    return (await this.#open()).owner.moveOperator(flow, operator, site);
  }

  async scaleOperator(flow: string, operator: string, instances: number): Promise<OperatorStatus> {
    return (await this.#open()).owner.scaleOperator(flow, operator, instances);
  }

  /** Operators go on. */
  async close(): Promise<void> {
    const parts = await this.#parts?.catch(() => undefined);
    if (!parts) return;
    clearInterval(parts.mending);
    // The owner may wait for what is asked of this host itself.
    await Promise.all([parts.owner.close(), parts.runtime.close(), parts.containers.close()]);
  }

  async #open(): Promise<Parts> {
    return this.#attach(await this.#options.fog.mesh());
  }

  #attach(mesh: FogMesh): Promise<Parts> {
    this.#parts ??= this.#make(mesh).catch((error) => {
      this.#parts = undefined;
      throw error;
    });
    return this.#parts;
  }

  async #make(mesh: FogMesh): Promise<Parts> {
    const { database, directory, peers, ports } = this.#options;
    const messages = await this.#options.messages.open();
    const table = new InstanceTable(database);
    const { peerId, name } = mesh;
    const tabs = new Tabs({
      ...{ table, peerId, host: name, dataDirectory: directory.path },
      nodeRed: () => this.#nodeRed(),
    });
    const containers = new InstanceContainers({
      ...{ database, mesh, messages, ports, containers: this.#options.containers },
      check: (peer) => peers.check('containers', peer),
    });
    const runtime = new LocalRuntime({
      ...{ mesh, messages, table, ports, tabs, containers, capacity: capacityOf() },
      // Its owner sees that it does not go on, and its nodes say why when they come back.
      onError: () => {},
    });
    serveRuntime(mesh, runtime, (peer) => peers.check('flows', peer));
    const view = new MeshView(mesh, messages, (peer) =>
      peer === peerId ? runtime : runtimeOver(mesh, peer),
    );
    const owner = new FlowOwner(view, database);
    containers.resume(table.all().filter(({ spec }) => spec.body.kind === 'container'));
    const mend = () => {
      // Without a Node-RED there are no tabs.
      runtime.mend().catch(() => {});
    };
    mend();
    return { runtime, containers, owner, mending: setInterval(mend, MEND).unref() };
  }

  /** The token may have changed since. */
  async #nodeRed() {
    const { nodeRed, nodeRedTokenFile } = this.#options;
    if (nodeRed === undefined) return undefined;
    const token =
      nodeRedTokenFile === undefined ? undefined : (await readFile(nodeRedTokenFile, 'utf8')).trim();
    return { url: nodeRed, token };
  }
}
