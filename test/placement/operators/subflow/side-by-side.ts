/** Runs subflows and their expansions in one real Node-RED, and collects what both send. */
import { setTimeout as delay } from 'node:timers/promises';
import { AdminApi } from '../../../../lib/placement/operators/node-red';
import {
  type EnvironmentEntry,
  type ExpandedSubflow,
  expandSubflow,
  type FlowNode,
} from '../../../../lib/placement/operators/subflow';
import { type NodeRedProcess, startNodeRed } from '../../../support/node-red-process';

export interface Case {
  name: string;
  /** Definitions of subflows and what is in them; the first is the one that is run. */
  flow: FlowNode[];
  instance?: { name?: string; g?: string; env?: EnvironmentEntry[] };
  /** Sent one after the other. */
  messages: Record<string, unknown>[];
  credentials?: Record<string, Record<string, string>>;
}

export interface Results {
  /** What came out: `[output, message]`, in order. */
  subflow: unknown[];
  expanded: unknown[];
}

/** An instance of a subflow at home has such an id; ids of the nodes inside follow from it. */
const instanceId = (name: string) => `instance-${name}`;

export class SideBySide {
  readonly #expansions = new Map<string, ExpandedSubflow>();
  #nodeRed: NodeRedProcess | undefined;
  #api: AdminApi | undefined;

  /** @param surroundings tab `home`, its groups, global variables: what is around all instances. */
  async start(surroundings: FlowNode[], cases: readonly Case[]): Promise<void> {
    this.#nodeRed = await startNodeRed();
    this.#api = new AdminApi({ url: this.#nodeRed.url });
    const flow = [...surroundings, ...reader(), ...cases.flatMap(homeOf)];
    const credentials = Object.assign({}, ...cases.map((each) => each.credentials ?? {}));
    const withCredentials = flow.map((node) =>
      credentials[node.id] ? { ...node, credentials: credentials[node.id] } : node,
    );
    await this.#deploy(withCredentials);
    for (const each of cases) {
      const subflow = each.flow[0]!.id;
      const outputs = (each.flow[0]!.out as unknown[] | undefined)?.length ?? 0;
      const expanded = expandSubflow({
        flow,
        subflow,
        instance: { id: instanceId(each.name), z: 'home', ...each.instance },
        seed: 'here',
        ports: {
          entry: { type: 'inject', props: [], repeat: '', once: false },
          exits: Array.from({ length: outputs }, (_, at) => collector('expanded', each.name, at)),
          status: collector('expanded', each.name, 'status'),
        },
        credentials: (id) => credentials[id],
      });
      this.#expansions.set(each.name, expanded);
      const mark = { owner: 'test', operator: each.name, instance: '1' };
      await this.#api.addTab({ label: each.name, mark, nodes: expanded.nodes, configs: expanded.configs });
    }
  }

  async stop(): Promise<void> {
    await this.#nodeRed?.stop();
  }

  /** Sends a case's messages to both; waits until each has sent as many as `count`, and a little more. */
  async run({ name, messages }: Case, count: number): Promise<Results> {
    const entry = this.#expansions.get(name)!.nodes.find(({ type }) => type === 'inject')!.id;
    for (const message of messages) {
      for (const id of [`entry-${name}`, entry]) await this.#inject(id, message);
      await delay(20);
    }
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const { subflow, expanded } = await this.#read(name);
      if (subflow.length >= count && expanded.length >= count) break;
      await delay(100);
    }
    // Whatever is too many comes within this time, or is missed: never a reason to fail.
    await delay(150);
    return this.#read(name);
  }

  log(): string {
    return this.#nodeRed?.log() ?? '';
  }

  async #inject(id: string, message: Record<string, unknown>): Promise<void> {
    const props = Object.entries(message).map(([p, v]) => ({ p, v: JSON.stringify(v), vt: 'json' }));
    const answer = await fetch(`${this.#nodeRed!.url}inject/${id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ __user_inject_props__: props }),
    });
    if (!answer.ok) throw new Error(`inject ${id}: ${answer.status}`);
  }

  async #read(name: string): Promise<Results> {
    const answer = await fetch(`${this.#nodeRed!.url}results/${name}`);
    const { subflow = [], expanded = [] } = (await answer.json()) as Partial<Results>;
    const origins = this.#expansions.get(name)!.origins;
    // Inside a subflow, Node-RED joins the ids of instances and node by `-`.
    const text = JSON.stringify(expanded).replace(/"([0-9a-f]{16})"/g, (all, id) => {
      const origin = origins.get(id);
      return origin === undefined ? all : JSON.stringify(origin.replaceAll('/', '-'));
    });
    return { subflow, expanded: JSON.parse(text) };
  }

  async #deploy(flows: FlowNode[]): Promise<void> {
    const answer = await fetch(`${this.#nodeRed!.url}flows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'node-red-api-version': 'v2' },
      body: JSON.stringify({ flows }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }
}

/** The subflow's nodes, and an instance between an entry and collectors. */
function homeOf({ name, flow, instance }: Case): FlowNode[] {
  const id = instanceId(name);
  const outputs = (flow[0]!.out as unknown[] | undefined) ?? [];
  return [
    ...flow,
    place({ id: `entry-${name}`, type: 'inject', props: [], repeat: '', once: false, wires: [[id]] }),
    place({
      id,
      type: `subflow:${flow[0]!.id}`,
      ...instance,
      wires: outputs.map((_, at) => [`exit-${name}-${at}`]),
    }),
    ...outputs.map((_, at) =>
      place({ id: `exit-${name}-${at}`, ...collector('subflow', name, at), wires: [] }),
    ),
  ];
}

function place(node: FlowNode): FlowNode {
  return { ...node, z: 'home', x: 100, y: 100 };
}

/** A node that keeps what comes, without what differs by its nature. */
function collector(side: keyof Results, name: string, output: number | string) {
  const func = `
    const { _msgid, _event, ...kept } = RED.util.cloneMessage(msg);
    if (kept.error) delete kept.error.stack;
    const all = global.get('results') ?? {};
    const results = (all[${JSON.stringify(name)}] ??= {});
    (results[${JSON.stringify(side)}] ??= []).push([${JSON.stringify(output)}, kept]);
    global.set('results', all);`;
  return { type: 'function', func, outputs: 0, libs: [], initialize: '', finalize: '' };
}

/** `GET /results/NAME`. */
function reader(): FlowNode[] {
  const func = "msg.payload = (global.get('results') ?? {})[msg.req.params.name] ?? {}; return msg;";
  return [
    place({ id: 'reader-in', type: 'http in', url: '/results/:name', method: 'get', wires: [['reader']] }),
    place({ id: 'reader', type: 'function', func, outputs: 1, libs: [], wires: [['reader-out']] }),
    place({ id: 'reader-out', type: 'http response', statusCode: '', headers: {}, wires: [] }),
  ];
}
