import { setTimeout as delay } from 'node:timers/promises';
import type { PlacedOperator } from '../../../lib/placement';
import { PlacedTestFlow } from '../../host/operators/operator-fog';
import { eventually } from '../../mesh/support/mesh-process';
import { median, type Row, type StreamCase } from '../stream/row';
import { codeNode, countWindow, operatorOf } from './bodies';
import { Load, Results } from './load';
import { NodeRedFog } from './node-red-fog';

const PER_SECOND = 200;
const BYTES = 2_000;
/** Messages that a window makes one of. */
const REDUCED = 50;
const PATIENCE = 60_000;
/** Until the operators are where they belong, by what was measured, in ms. */
const SETTLE = 15_000;

interface Measured {
  /** Between the sites, for each second. */
  bytes: number;
  /** From the reading that fills a window to the dashboard, in ms. */
  latencies: number[];
  /** Where the operators are. */
  sites: string;
}

/** Sensors at one site, a dashboard at another, five operators between them that reduce what the sensors send. */
export const reduce: StreamCase = {
  name: 'reduce',
  async run(quick) {
    const fog = await NodeRedFog.start();
    try {
      const seconds = quick ? 15 : 40;
      const pinned = await measure(fog, 'pinned', seconds, { pin: 'dashboard' });
      const placed = await measure(fog, 'placed', seconds, {});
      return rowsOf(placed, pinned);
    } finally {
      await fog.stop();
    }
  },
};

async function measure(
  fog: NodeRedFog,
  name: string,
  seconds: number,
  more: Partial<PlacedOperator>,
): Promise<Measured> {
  const host = fog.host('sensors');
  const owner = (await host.fog())!.peerId;
  const results = new Results(fog.host('dashboard'), name);
  const flow = new PlacedTestFlow(host, name, []);
  flow.flow.weights = { latency: 0.5, traffic: 0.5 };
  flow.place(operatorsOf(name, more));
  for (const { id } of flow.flow.operators) await flow.reaches(id, 'running');
  const load = new Load({ host, owner, flow: name, operator: 'parse', perSecond: PER_SECOND, bytes: BYTES });
  await eventually(async () => results.all.length > 0, true, PATIENCE);
  await delay(SETTLE);
  for (const { id } of flow.flow.operators) await flow.reaches(id, 'running');
  const before = await fog.network.bytesBetweenSites();
  const first = results.all.length;
  await delay(seconds * 1_000);
  const bytes = ((await fog.network.bytesBetweenSites()) - before) / seconds;
  const heard = results.all.slice(first);
  const statuses = await host.operators();
  await load.stop();
  await flow.leave();
  await host.removeFlow(name);
  await results.end();
  return {
    bytes,
    latencies: heard.map(({ arrived, payload }) => arrived - Number((payload.result as { at: number }).at)),
    sites: statuses.map(({ operator, instances }) => `${operator} at ${instances[0]?.site}`).join(', '),
  };
}

function operatorsOf(topic: string, more: Partial<PlacedOperator>): PlacedOperator[] {
  const to = (...operators: string[]) => ({ operators, topics: [] });
  const small = { cpu: 0.2, ...more };
  return [
    operatorOf(
      'parse',
      [codeNode('msg.payload.value = msg.payload.n % 97; return msg;')],
      to('check'),
      small,
    ),
    operatorOf('check', [codeNode('return msg.payload.value >= 0 ? msg : null;')], to('window'), small),
    operatorOf('window', [countWindow(REDUCED, REDUCED)], to('scale'), small),
    operatorOf('scale', [codeNode('msg.payload.scaled = true; return msg;')], to('alarm'), small),
    operatorOf(
      'alarm',
      [codeNode('msg.payload.alarm = msg.payload.count < 50; return msg;')],
      { operators: [], topics: [topic] },
      small,
    ),
  ];
}

function rowsOf(placed: Measured, pinned: Measured): Row[] {
  const [ours, theirs] = [median(placed.latencies), median(pinned.latencies)];
  return [
    {
      what: `bytes between sites for each second (${placed.sites})`,
      value: placed.bytes,
      unit: 'B/s',
      peer: { name: 'all at the dashboard', value: pinned.bytes },
    },
    {
      what: 'bytes between sites / all at the dashboard',
      value: placed.bytes / pinned.bytes,
      unit: 'x',
      bar: { atMost: 0.1 },
    },
    {
      what: 'latency from the reading to the dashboard, median',
      value: ours,
      unit: 'ms',
      peer: { name: 'all at the dashboard', value: theirs },
    },
    { what: 'latency / all at the dashboard', value: ours / theirs, unit: 'x', bar: { atMost: 1 } },
  ];
}
