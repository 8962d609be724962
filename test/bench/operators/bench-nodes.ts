/** Nodes of the benchmark itself, which Node-RED loads from a folder; they are driven over its Admin API. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Node, NodeAPI } from 'node-red';

/** What the node `source` is asked for. */
export interface Load {
  messages: number;
  /** As fast as the sink gets them where it is 0. */
  perSecond: number;
}

/** CPU time is that of the whole process, all threads. */
export interface Measured {
  cpuMicroseconds: number;
  seconds: number;
  received: number;
}

const TYPES = ['bench-source', 'bench-pass', 'bench-sink'];
/** Sent at once where the rate is not limited. */
const BURST = 500;
/** Between two looks at how many are due, in ms. */
const TICK = 10;

/** Makes a folder for `nodesDir`. */
export function installBenchNodes(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const code = `module.exports = require(${JSON.stringify(__filename)}).benchNodes;\n`;
  const html = TYPES.map((type) => `RED.nodes.registerType('${type}', {});`).join('');
  writeFileSync(join(folder, 'bench.js'), code);
  writeFileSync(join(folder, 'bench.html'), `<script type="text/javascript">${html}</script>\n`);
  return folder;
}

export function benchNodes(RED: NodeAPI): void {
  let received = 0;
  const register = (type: string, build: (node: Node) => void) =>
    RED.nodes.registerType(type, function (this: Node, definition: never) {
      RED.nodes.createNode(this, definition);
      build(this);
    } as never);
  register('bench-source', () => {});
  register('bench-pass', (node) =>
    node.on('input', (message, send, done) => {
      send(message);
      done();
    }),
  );
  register('bench-sink', (node) =>
    node.on('input', (_message, _send, done) => {
      received += 1;
      done();
    }),
  );
  RED.httpAdmin.post('/bench', (request, response) => {
    const load = request.body as Load;
    const source = RED.nodes.getNode('source') as Node | null;
    // The flows have not started yet.
    if (!source) response.sendStatus(404);
    else
      run(source, load, () => received).then(
        (measured) => response.json(measured),
        (error) => response.status(500).send(String(error)),
      );
  });
}

async function run(source: Node, { messages, perSecond }: Load, count: () => number): Promise<Measured> {
  const before = count();
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let sent = 0; sent < messages; ) {
    const due = perSecond === 0 ? sent + BURST : ((performance.now() - start) / 1_000) * perSecond;
    for (; sent < Math.min(due, messages); sent += 1)
      source.send({ payload: { n: sent, value: sent % 997 } });
    if (perSecond > 0) await pause(TICK);
    else while (count() - before < sent) await nextTurn();
  }
  while (count() - before < messages) await pause(1);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - start) / 1_000;
  return { cpuMicroseconds: user + system, seconds, received: count() - before };
}
