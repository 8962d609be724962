import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, BenchCase } from '../harness/bench';
import type { Delay } from '../harness/event-loop';
import { removeContainer } from '../harness/garua';
import { delayNode, flowFrame, functionNode, NodeRedBench } from '../harness/node-red';
import { median } from '../harness/statistics';
import { removeTree } from '../harness/work-area';

const LIMIT_MS = 5;
const LINES_PER_SECOND = 10_000;
const SECONDS = 10;
const CONTAINER = 'garua-bench-log-flood';
/** A little more than the rate, for what two new processes a burst take on a slow machine. */
const WRITER = `while true; do seq ${LINES_PER_SECOND / 20 + 120}; sleep 0.05; done`;

/** What a container that writes 10,000 lines a second costs the event loop of the Node-RED that puts them out. */
export const logFlood: BenchCase = {
  name: 'log-flood',
  summary: 'event-loop delay of a Node-RED that puts out 10,000 log lines a second',
  async run(bench) {
    await bench.images.ensure('busybox');
    const runs: { delay: Delay; rate: number; idle: Delay }[] = [];
    const repetitions = bench.repetitions ?? (bench.quick ? 1 : 5);
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      const run = await runFlow(bench);
      bench.say(`log-flood: ${Math.round(run.rate)} lines/s, p99 ${run.delay.p99.toFixed(2)} ms`);
      if (run.rate < LINES_PER_SECOND) throw new Error(`only ${Math.round(run.rate)} lines/s came`);
      runs.push(run);
    }
    const p99 = median(runs.map(({ delay }) => delay.p99));
    return {
      kind: 'facts',
      name: 'log-flood',
      title: `Node-RED while a container writes ${LINES_PER_SECOND} lines/s to its second output`,
      date: new Date().toISOString(),
      facts: [
        { what: 'lines put out', value: median(runs.map(({ rate }) => rate)), unit: 'lines/s' },
        { what: 'event loop, p99', value: p99, unit: 'ms', note: `median of ${runs.length}` },
        { what: 'event loop, max', value: Math.max(...runs.map(({ delay }) => delay.max)), unit: 'ms' },
        { what: 'event loop, idle p99', value: median(runs.map(({ idle }) => idle.p99)), unit: 'ms' },
      ],
      bars: [{ claim: 'event loop p99 with 10,000 log lines/s', value: p99, limit: LIMIT_MS, unit: 'ms' }],
    };
  },
};

async function runFlow(bench: Bench): Promise<{ delay: Delay; rate: number; idle: Delay }> {
  const folder = join(bench.area.folder('disk'), 'log-flood');
  const data = join(folder, 'data');
  const flow = [
    ...flowFrame('settled'),
    {
      ...{ id: 'host', type: 'fog-host', name: 'bench', dataDirectory: data, socket: '' },
      registries: [{ host: bench.registry.address, username: '', insecure: true }],
    },
    functionNode('settled', "global.get('take')('start'); return msg;", ['rest']),
    delayNode('rest', 4, ['idle']),
    functionNode('idle', "global.get('take')('idle'); return { action: 'deploy' };", ['deploy', 'warm']),
    {
      ...{
        id: 'deploy',
        z: 'tab',
        type: 'deploy-container',
        name: CONTAINER,
        host: 'host',
        imageType: 'str',
      },
      ...{ image: bench.images.reference('busybox'), command: JSON.stringify(['sh', '-c', WRITER]) },
      ...{ network: 'none', pull: 'missing', start: false, logs: true, removeOnDelete: false },
      ...{ x: 500, y: 180, wires: [[], ['count']] },
    },
    functionNode('count', "global.set('lines', (global.get('lines') || 0) + 1); return null;", []),
    delayNode('warm', 3, ['begin']),
    functionNode('begin', "global.get('take')('begin'); global.set('lines', 0); return msg;", ['flood']),
    delayNode('flood', SECONDS, ['end']),
    functionNode('end', "global.get('take')('flood', global.get('lines')); return null;", []),
  ];
  const nodeRed = new NodeRedBench({ folder, flow, until: 'flood' });
  const close = async () => {
    await nodeRed.close();
    await removeContainer(CONTAINER, data);
  };
  bench.cleanup.defer('Node-RED', close);
  try {
    await removeTree(folder);
    mkdirSync(folder, { recursive: true });
    const { idle, flood } = await nodeRed.run();
    return { idle: idle!, delay: flood!, rate: Number(flood!.detail) / SECONDS };
  } finally {
    await close();
    await removeTree(folder);
  }
}
