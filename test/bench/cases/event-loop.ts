import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import type { Bench, BenchCase } from '../harness/bench';
import type { Delay } from '../harness/event-loop';
import { removeContainer } from '../harness/garua';
import { delayNode, flowFrame, functionNode, NodeRedBench } from '../harness/node-red';
import { PROJECT } from '../harness/paths';
import { measure } from '../harness/processes';
import type { Bar, Fact } from '../harness/result';
import { median } from '../harness/statistics';
import { removeTree } from '../harness/work-area';

const LIMIT_MS = 20;

/** How late timers are in a process that pulls: our library alone, and a whole Node-RED with our node. */
export const eventLoop: BenchCase = {
  name: 'event-loop',
  summary: 'delay of the event loop while a Node-RED, or a program with the library, pulls',
  quick: true,
  async run(bench) {
    await bench.images.ensure('two-layers');
    const ref = bench.images.reference('two-layers');
    const repetitions = bench.repetitions ?? (bench.quick ? 1 : 5);
    const runs: Record<string, Delay[]> = {};
    const add = (what: string, delay: Delay) => {
      runs[what] = [...(runs[what] ?? []), delay];
      bench.say(`event-loop ${what}: p99 ${delay.p99.toFixed(2)} ms, max ${delay.max.toFixed(1)} ms`);
    };
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      const library = await pullInProcess(bench, ref);
      add('library, idle', library.idle);
      add('library, pulling', library.pull);
      const nodeRed = await pullInNodeRed(bench, ref);
      add('Node-RED, idle', nodeRed.idle);
      add('Node-RED, pulling and starting', nodeRed.deploy);
    }
    const facts: Fact[] = [];
    const bars: Bar[] = [];
    for (const [what, delays] of Object.entries(runs)) {
      for (const key of ['p50', 'p99', 'max'] as const) {
        const value = median(delays.map((delay) => delay[key]));
        const worst = Math.max(...delays.map((delay) => delay[key]));
        const note = `median of ${delays.length}, worst ${worst.toFixed(1)} ms`;
        facts.push({ what: `${what}: ${key}`, value, unit: 'ms', note });
        if (key === 'p99' && what.includes('pulling')) {
          bars.push({ claim: `event loop, ${what}: p99`, value, limit: LIMIT_MS, unit: 'ms' });
        }
      }
    }
    return {
      kind: 'facts',
      name: 'event-loop',
      title: 'event-loop delay, two layers from an unshaped loopback to disk (1 ms samples, time over 1 ms)',
      date: new Date().toISOString(),
      facts,
      bars,
    };
  },
};

async function pullInProcess(bench: Bench, ref: string): Promise<{ idle: Delay; pull: Delay }> {
  const data = join(bench.area.folder('disk'), 'event-loop');
  const script = join(PROJECT, 'dist', 'test', 'bench', 'children', 'pull-in-process.js');
  try {
    await removeTree(data);
    await execute('sync', [], { timeoutMs: 300_000 });
    const { stdout } = await measure(process.execPath, [script, data, ref]);
    return JSON.parse(stdout);
  } finally {
    await removeTree(data);
  }
}

const CONTAINER = 'garua-bench-event-loop';
const IDLE_SECONDS = 4;

async function pullInNodeRed(bench: Bench, ref: string): Promise<{ idle: Delay; deploy: Delay }> {
  const folder = join(bench.area.folder('disk'), 'node-red');
  const data = join(folder, 'data');
  const flow = deployFlow(ref, bench.registry.address, data);
  const nodeRed = new NodeRedBench({ folder, flow, until: 'deploy' });
  const close = async () => {
    await nodeRed.close();
    await removeContainer(CONTAINER, data);
  };
  bench.cleanup.defer('Node-RED', close);
  try {
    await removeTree(folder);
    mkdirSync(folder, { recursive: true });
    await execute('sync', [], { timeoutMs: 300_000 });
    const { idle, deploy } = await nodeRed.run();
    return { idle: idle!, deploy: deploy! };
  } finally {
    await close();
    await removeTree(folder);
  }
}

/** Some seconds after the start it takes the idle delay, then deploys a container. */
function deployFlow(image: string, registry: string, data: string): object[] {
  return [
    ...flowFrame('settled'),
    {
      ...{ id: 'host', type: 'fog-host', name: 'bench', dataDirectory: data, socket: '' },
      registries: [{ host: registry, username: '', insecure: true }],
    },
    functionNode('settled', "global.get('take')('start'); return msg;", ['wait']),
    delayNode('wait', IDLE_SECONDS, ['idle']),
    functionNode('idle', "global.get('take')('idle'); return { action: 'deploy' };", ['deploy']),
    {
      ...{ id: 'deploy', z: 'tab', type: 'deploy-container', name: CONTAINER, image, imageType: 'str' },
      ...{ host: 'host', network: 'none', pull: 'missing', start: false, logs: false, removeOnDelete: false },
      ...{ x: 500, y: 180, wires: [['deployed'], []] },
    },
    functionNode(
      'deployed',
      "if (msg.payload?.state === 'running') global.get('take')('deploy'); return null;",
      [],
    ),
  ];
}
