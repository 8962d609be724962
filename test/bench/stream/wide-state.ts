import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { DurableState, parseWindowSpec, SteadyClock, WindowEngine, WindowRunner } from '../../../lib/stream';
import { cpuSeconds, type Row, type StreamCase } from './row';

const WIDTH = 100_000;
/** A stream that leaves the event loop room: a pause is then due to the windows alone. */
const PER_SECOND = 20_000;
const RESOLUTION = 1;

interface Kind {
  name: string;
  spec: object;
  value: (n: number) => unknown;
}

const common = { outOfOrderness: 0, aggregates: [{ op: 'mean' }, { op: 'max' }] };
const KINDS: Kind[] = [
  { name: 'sliding, numbers', spec: { type: 'sliding', size: WIDTH, ...common }, value: (n) => n % 997 },
  {
    name: 'sliding, objects',
    spec: { type: 'sliding', size: WIDTH, outOfOrderness: 0, aggregates: [{ op: 'mean', field: 'level' }] },
    value: (n) => ({ level: n % 997, place: 'quay', battery: 3.1 }),
  },
  {
    name: 'tumbling, all values',
    spec: { type: 'tumbling', size: 10 * WIDTH, outOfOrderness: 0, aggregates: [{ op: 'collect' }] },
    value: (n) => n % 997,
  },
];

/** Durable state of windows that hold 100,000 events: what it costs, and how long it holds others up. */
export const wideState: StreamCase = {
  name: 'wide-state',
  async run(quick) {
    const rows: Row[] = [];
    for (const { name, spec, value } of KINDS) {
      const off = await run(spec, value, quick ? 4 : 10, undefined);
      const folder = mkdtempSync(join(tmpdir(), 'garua-bench-'));
      const path = join(folder, 'state.db');
      const on = await run(spec, value, quick ? 4 : 10, path);
      const restored = await restore(spec, path);
      rmSync(folder, { recursive: true, force: true });
      rows.push(
        {
          what: `${name}, 100,000 wide, durable: event loop late, p99`,
          value: on.late99,
          unit: 'ms',
          peer: { name: 'durable off', value: off.late99 },
          bar: { atMost: 20 },
        },
        {
          what: `${name}: the worst`,
          value: on.worst,
          unit: 'ms',
          peer: { name: 'durable off', value: off.worst },
        },
        {
          what: `${name}, durable: CPU of this thread / off`,
          value: on.cpu / off.cpu,
          unit: 'x',
          bar: { atMost: 1.25 },
        },
        {
          what: `${name}: reading ${restored.items.toLocaleString('en')} back`,
          value: restored.ms,
          unit: 'ms',
        },
      );
    }
    return rows;
  },
};

/** Fills the window, then measures for some seconds. */
async function run(spec: object, value: Kind['value'], seconds: number, path: string | undefined) {
  const engine = new WindowEngine(parseWindowSpec(spec));
  const durable = path && (await DurableState.open(engine, { path, settings: 'bench' }));
  const runner = new WindowRunner(engine, {
    clock: new SteadyClock(),
    durable: durable || undefined,
    onOutput: () => {},
    onError: (error) => {
      throw error;
    },
  });
  let n = 0;
  const send = (count: number) => {
    for (const end = n + count; n < end; n += 1) {
      runner.push({ kind: 'event', event: { time: n, value: value(n) } });
    }
  };
  while (n < 1.1 * WIDTH) {
    send(500);
    await delay(1);
  }
  await delay(1_500);
  const late = monitorEventLoopDelay({ resolution: RESOLUTION });
  late.enable();
  const [start, first] = [performance.now(), n];
  let busy = 0;
  for (let now = start; now < start + seconds * 1_000; now = performance.now()) {
    const before = threadCpu();
    send(Math.floor(((now - start) / 1_000) * PER_SECOND) - (n - first));
    await delay(1);
    busy += threadCpu() - before;
  }
  late.disable();
  await runner.close();
  return {
    // The histogram holds the interval itself, too.
    late99: late.percentile(99) / 1e6 - RESOLUTION,
    worst: late.max / 1e6 - RESOLUTION,
    cpu: busy / (n - first),
  };
}

async function restore(spec: object, path: string): Promise<{ ms: number; items: number }> {
  const engine = new WindowEngine(parseWindowSpec(spec));
  const start = performance.now();
  const state = await DurableState.open(engine, { path, settings: 'bench' });
  const ms = performance.now() - start;
  const { items } = engine.fill;
  await state.close();
  return { ms, items };
}

/** CPU-seconds of this thread alone: the state's worker is another core's load. */
function threadCpu(): number {
  const usage = (process as { threadCpuUsage?: () => NodeJS.CpuUsage }).threadCpuUsage?.();
  return usage ? (usage.user + usage.system) / 1e6 : cpuSeconds();
}
