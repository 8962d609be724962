import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FlowNode } from '../../support/node-red';
import { type NodeRedProcess, startNodeRed } from '../../support/node-red-process';
import { median, type Row, type StreamCase } from '../stream/row';
import { installBenchNodes, type Load, type Measured } from './bench-nodes';

const PATIENCE = 60_000;
/** Of CPU, in microseconds. */
const MOST = 15;

const tab = (id: string, type: string, rest: object): FlowNode => ({
  ...{ id, type, z: 'tab', x: 100, y: 100, wires: [] },
  ...rest,
});

/** A subflow on a wire, as such or by a place-operator. */
const flowOf = (middle: object): FlowNode[] => [
  { id: 'tab', type: 'tab', label: 'bench' },
  {
    ...{ id: 'sub', type: 'subflow', name: 'pass', in: [{ x: 0, y: 0, wires: [{ id: 'inside' }] }] },
    out: [{ x: 0, y: 0, wires: [{ id: 'inside', port: 0 }] }],
  },
  { id: 'inside', type: 'bench-pass', z: 'sub', x: 100, y: 100, wires: [[]] },
  tab('source', 'bench-source', { wires: [['middle']] }),
  tab('middle', 'subflow:sub', { wires: [['sink']], ...middle }),
  tab('sink', 'bench-sink', {}),
];

const WAYS = {
  plain: flowOf({}),
  placed: flowOf({ type: 'place-operator', subflowId: 'sub', cpu: 1 }),
};

/** What a place-operator costs whose operator runs in the same Node-RED, beside a Node-RED without operators. */
export const overhead: StreamCase = {
  name: 'overhead',
  async run(quick) {
    const folder = mkdtempSync(join(tmpdir(), 'garua-bench-'));
    const nodesDir = [installBenchNodes(join(folder, 'nodes'))];
    const [plain, placed] = await Promise.all([startNodeRed({ nodesDir }), startNodeRed({ nodesDir })]);
    try {
      await deploy(plain, WAYS.plain);
      await deploy(placed, WAYS.placed);
      // The operator is placed, and its messages find their way.
      for (let round = 0; round < 3; round += 1) await measure(placed, { messages: 200, perSecond: 100 });
      for (const nodeRed of [plain, placed]) await measure(nodeRed, { messages: 50_000, perSecond: 0 });
      const rows: Row[] = [];
      for (const perSecond of [0, 1_000]) rows.push(...(await compare({ plain, placed }, perSecond, quick)));
      return rows;
    } finally {
      await Promise.all([plain.stop(), placed.stop()]);
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function compare(
  nodeReds: Record<keyof typeof WAYS, NodeRedProcess>,
  perSecond: number,
  quick: boolean,
): Promise<Row[]> {
  const messages = perSecond === 0 ? (quick ? 50_000 : 200_000) : quick ? 3_000 : 5_000;
  const costs: Record<keyof typeof WAYS, number[]> = { plain: [], placed: [] };
  // In turn, so that what else the machine does hits both.
  for (let round = 0; round < (quick ? 3 : 7); round += 1) {
    for (const way of ['plain', 'placed'] as const) {
      const { cpuMicroseconds } = await measure(nodeReds[way], { messages, perSecond });
      costs[way].push(cpuMicroseconds / messages);
    }
  }
  const [plain, placed] = [median(costs.plain), median(costs.placed)];
  const at = perSecond === 0 ? 'at saturation' : `at ${perSecond.toLocaleString('en')} messages/s`;
  return [
    {
      what: `CPU per message through a local place-operator, ${at}`,
      value: placed,
      unit: 'us',
      peer: { name: 'the subflow itself', value: plain },
    },
    {
      what: `overhead of the place-operator, ${at}`,
      value: placed - plain,
      unit: 'us',
      bar: { atMost: MOST },
    },
  ];
}

async function deploy({ url }: NodeRedProcess, flow: FlowNode[]): Promise<void> {
  const answer = await fetch(`${url}flows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'node-red-deployment-type': 'full' },
    body: JSON.stringify(flow),
  });
  if (answer.status !== 204) throw new Error(`Node-RED refuses the flow: ${await answer.text()}`);
}

async function measure(nodeRed: NodeRedProcess, load: Load): Promise<Measured> {
  const { url, log } = nodeRed;
  const answer = await fetch(`${url}bench`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(load),
    signal: AbortSignal.timeout(2 * PATIENCE),
  }).catch((cause) => {
    throw new Error(`no answer: ${log()}`, { cause });
  });
  if (answer.status === 404) {
    await delay(100);
    return measure(nodeRed, load);
  }
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as Measured;
}
