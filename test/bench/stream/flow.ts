/** A Node-RED in this process, with a source that sends as fast as Node-RED takes it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
}

function benchNodes(RED: NodeAPI): void {
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

export class BenchFlow {
  readonly #helper: {
    [method: string]: (...values: never[]) => unknown;
  } = require('node-red-node-test-helper');
  readonly #folder = mkdtempSync(join(tmpdir(), 'garua-bench-'));

  static async start(): Promise<BenchFlow> {
    const flow = new BenchFlow();
    const { init, settings, startServer } = flow.#helper as Record<string, (...values: unknown[]) => unknown>;
    init!.call(flow.#helper, require.resolve('node-red'));
    settings!.call(flow.#helper, { userDir: flow.#folder });
    await startServer!.call(flow.#helper);
    return flow;
  }

  /**
   * Messages per second, and per CPU-second, through `middle`: the nodes between source and sink, the first
   * with id `first`, the last wired to `sink`. `nodes` are the files of further node types.
   */
  async rate(
    middle: FlowNode[],
    nodes: string[],
    { messages, warmUp, burst = BURST, payload }: Load,
  ): Promise<{ perSecond: number; perCpuSecond: number }> {
    const flow: FlowNode[] = [
      { id: 'tab', type: 'tab', label: 'bench' },
      { id: 'source', z: 'tab', type: 'bench-source', wires: [['first'], ['mark']] },
      ...middle.map((node) => ({ z: 'tab', ...node })),
      { id: 'sink', z: 'tab', type: 'bench-sink' },
      { id: 'mark', z: 'tab', type: 'helper' },
    ];
    const { load, unload, getNode } = this.#helper as Record<string, (...values: unknown[]) => unknown>;
    await load!.call(this.#helper, [benchNodes, ...nodes.map((path) => require(path))], flow);
    const source = getNode!.call(this.#helper, 'source') as BenchNode;
    const mark = getNode!.call(this.#helper, 'mark') as BenchNode;
    let arrived = () => {};
    mark.on('input', () => arrived());
    const sendBurst = async (from: number) => {
      for (let n = from; n < from + burst; n += 1) source.send([{ topic: 'a', payload: payload(n) }, null]);
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
    for (; sent < first + messages; sent += burst) await sendBurst(sent);
    const result = {
      perSecond: ((sent - first) / (performance.now() - start)) * 1_000,
      perCpuSecond: (sent - first) / (cpuSeconds() - cpu),
    };
    await unload!.call(this.#helper);
    return result;
  }

  async stop(): Promise<void> {
    const { stopServer } = this.#helper as Record<string, (...values: unknown[]) => Promise<void>>;
    await stopServer!.call(this.#helper);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
