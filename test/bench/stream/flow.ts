/** A Node-RED in this process, with a source that sends as fast as Node-RED takes it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { cpuSeconds } from './row';

export interface FlowNode {
  id: string;
  type: string;
  wires?: string[][];
  [property: string]: unknown;
}

interface BenchNode {
  on(
    event: 'input',
    listener: (message: unknown, send: (message: unknown) => void, done: () => void) => void,
  ): void;
  send(messages: unknown): void;
}

const BURST = 2_000;

/** What `rate` measures with. */
export interface Load {
  messages: number;
  /** Sent before the clock starts. */
  warmUp: number;
  /** Sent at once. Default 2,000. */
  burst?: number;
  payload: (n: number) => unknown;
  /** Each message is answered with one, once the clock runs: wait for all answers. */
  answered?: boolean;
}

/** The nodes of the benchmark itself; Node-RED loads them from its user folder. */
export function benchNodes(RED: NodeAPI): void {
  const register = (type: string, build: (node: BenchNode) => void) => {
    RED.nodes.registerType(type, function (this: BenchNode, definition: never) {
      RED.nodes.createNode(this as never, definition);
      build(this);
    } as never);
  };
  register('bench-source', () => {});
  register('bench-sink', (node) => node.on('input', (_message, _send, done) => done()));
  // What the window node is compared with.
  register('bench-pass', (node) =>
    node.on('input', (message, send, done) => {
      send(message);
      done();
    }),
  );
}

/** The parts of Node-RED's own interface that are used. */
interface NodeRed {
  init(server: unknown, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  events: { once(name: string, listener: () => void): void };
  nodes: { getNode(id: string): BenchNode };
  runtime: { flows: { setFlows(options: object): Promise<unknown> } };
}

const WINDOW = join(__dirname, '../../../nodes/window');

/** Not the test helper: its hooks cost more than the nodes. */
export class BenchFlow {
  readonly #red: NodeRed = require('node-red');
  readonly #folder = mkdtempSync(join(tmpdir(), 'garua-bench-'));

  static async start(): Promise<BenchFlow> {
    const flow = new BenchFlow();
    const nodes = join(flow.#folder, 'nodes');
    mkdirSync(nodes);
    writeFileSync(
      join(nodes, 'bench.js'),
      `module.exports = require(${JSON.stringify(__filename)}).benchNodes;`,
    );
    const types = ['bench-source', 'bench-pass', 'bench-sink'].map(
      (type) => `RED.nodes.registerType('${type}', {});`,
    );
    writeFileSync(join(nodes, 'bench.html'), `<script type="text/javascript">${types.join('')}</script>`);
    flow.#red.init(createServer(), {
      userDir: flow.#folder,
      nodesDir: [nodes, WINDOW],
      flowFile: 'flows.json',
      credentialSecret: 'bench',
      httpAdminRoot: false,
      httpNodeRoot: false,
      telemetry: { enabled: false, updateNotification: false },
      logging: { console: { level: 'warn', metrics: false, audit: false } },
    });
    const started = flow.#flowsStarted();
    await flow.#red.start();
    await started;
    return flow;
  }

  /**
   * Messages per second, and per CPU-second, through `middle`: the nodes between source and sink, the first
   * with id `first`, the last wired to `sink`.
   */
  async rate(
    middle: FlowNode[],
    { messages, warmUp, burst = BURST, payload, answered = false }: Load,
  ): Promise<{ perSecond: number; perCpuSecond: number }> {
    // Nothing of the flow before may be taken over.
    await this.#deploy([]);
    const flow: FlowNode[] = [
      { id: 'tab', type: 'tab', label: 'bench' },
      { id: 'source', z: 'tab', type: 'bench-source', wires: [['first'], ['mark']] },
      ...middle.map((node) => ({ z: 'tab', ...node })),
      { id: 'sink', z: 'tab', type: 'bench-sink', wires: [] },
      { id: 'mark', z: 'tab', type: 'bench-sink', wires: [] },
    ];
    // Without a place on the canvas a node is taken for a configuration.
    await this.#deploy(flow.map((node, at) => (node.type === 'tab' ? node : { x: at, y: 0, ...node })));
    const [source, mark, sink] = ['source', 'mark', 'sink'].map((id) => this.#red.nodes.getNode(id)) as [
      BenchNode,
      BenchNode,
      BenchNode,
    ];
    let answers = 0;
    sink.on('input', () => {
      answers += 1;
    });
    let arrived = () => {};
    mark.on('input', () => arrived());
    const sendBurst = async (from: number) => {
      // With an id, as a message has that comes from any node but the first.
      for (let n = from; n < from + burst; n += 1) {
        source.send([{ _msgid: String(n), topic: 'a', payload: payload(n) }, null]);
      }
      // Delivery is first in, first out: with the mark everything before it has arrived.
      const end = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      source.send([null, {}]);
      await end;
    };
    let sent = 0;
    for (; sent < warmUp; sent += burst) await sendBurst(sent);
    const [start, cpu, first] = [performance.now(), cpuSeconds(), sent];
    for (answers = 0; sent < first + messages; ) {
      await sendBurst(sent);
      sent += burst;
      while (answered && answers < sent - first) await nextTurn();
    }
    return {
      perSecond: ((sent - first) / (performance.now() - start)) * 1_000,
      perCpuSecond: (sent - first) / (cpuSeconds() - cpu),
    };
  }

  async stop(): Promise<void> {
    await this.#red.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #deploy(flow: FlowNode[]): Promise<void> {
    const started = this.#flowsStarted();
    await this.#red.runtime.flows.setFlows({ flows: { flows: flow }, deploymentType: 'full', user: null });
    await started;
  }

  #flowsStarted(): Promise<void> {
    return new Promise((resolve) => this.#red.events.once('flows:started', resolve));
  }
}
