import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import type { Bench, BenchCase } from '../harness/bench';
import type { Delay } from '../harness/event-loop';
import { NodeRedPull } from '../harness/node-red';
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

async function pullInNodeRed(bench: Bench, ref: string): Promise<{ idle: Delay; deploy: Delay }> {
  const folder = join(bench.area.folder('disk'), 'node-red');
  const nodeRed = new NodeRedPull({ folder, image: ref, registry: bench.registry.address });
  bench.cleanup.defer('Node-RED', () => nodeRed.close());
  try {
    await removeTree(folder);
    mkdirSync(folder, { recursive: true });
    await execute('sync', [], { timeoutMs: 300_000 });
    return await nodeRed.run();
  } finally {
    await nodeRed.close();
    await removeTree(folder);
  }
}
