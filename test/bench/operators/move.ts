import { setTimeout as delay } from 'node:timers/promises';
import type { FlowEvent } from '../../../lib/placement';
import { PlacedTestFlow } from '../../host/operators/operator-fog';
import { eventually } from '../../mesh/support/mesh-process';
import { median, type Row, type StreamCase } from '../stream/row';
import { countWindow, operatorOf } from './bodies';
import { Load, type Result, Results } from './load';
import { NodeRedFog } from './node-red-fog';

const FLOW = 'moving';
const BACK = 'windows';
const ITEMS = 1_000;
const PER_SECOND = 1_000;
const PATIENCE = 60_000;
/** Between two sites, in ms. */
const ROUND_TRIP = 40;
/**
 * Round trips that a move must wait for while the operator stands still: the owner asks one host to hand over, and the
 * other to take over, which opens a stream to the first and reads from it.
 */
const ROUND_TRIPS = 4;
const MOST = 150;

/** A window operator with 1,000 items at 1,000 messages/s goes from site to site. */
export const move: StreamCase = {
  name: 'move',
  async run(quick) {
    const fog = await NodeRedFog.start();
    try {
      const host = fog.host('sensors');
      const owner = (await host.fog())!.peerId;
      const results = new Results(fog.host('dashboard'), BACK);
      const flow = new PlacedTestFlow(host, FLOW, []);
      flow.place([operatorOf('window', [countWindow(ITEMS, 1)], { operators: [], topics: [BACK] })]);
      await flow.reaches('window', 'running');
      const load = new Load({
        host,
        owner,
        flow: FLOW,
        operator: 'window',
        perSecond: PER_SECOND,
        bytes: 100,
      });
      await eventually(async () => results.all.length > PER_SECOND, true, PATIENCE);
      const gaps: number[] = [];
      const sites = quick ? ['quay', 'dashboard', 'sensors'] : [...ROUND, ...ROUND, ...ROUND];
      for (const site of sites) {
        const since = performance.now();
        await host.moveOperator(FLOW, 'window', site);
        await delay(3_000);
        gaps.push(longestGap(results, since));
      }
      await load.stop();
      await eventually(async () => lastOf(results), load.sent - 1, PATIENCE);
      const paused = flow.events.flatMap((event: FlowEvent) =>
        event.type === 'moved' ? event.pausedMs : [],
      );
      await flow.leave();
      await results.end();
      return rowsOf(results, load, paused, gaps);
    } finally {
      await fog.stop();
    }
  },
};

const ROUND = ['quay', 'dashboard', 'sensors'];

function rowsOf(results: Results, load: Load, paused: number[], gaps: number[]): Row[] {
  const lasts = results.all.map(resultOf).map(({ last }) => last);
  const seen = new Set(lasts);
  const limit = MOST + ROUND_TRIPS * ROUND_TRIP;
  const wrong = results.all.filter((result) => {
    const { count, first, last } = resultOf(result);
    // The first windows are not full yet.
    return count !== Math.min(ITEMS, last + 1) || last - first !== count - 1;
  });
  return [
    {
      what: `windows lost over ${paused.length} moves`,
      value: load.sent - seen.size,
      unit: '',
      bar: { atMost: 0 },
    },
    { what: 'messages that found a queue full', value: load.dropped, unit: '', bar: { atMost: 0 } },
    { what: 'windows that came twice', value: lasts.length - seen.size, unit: '', bar: { atMost: 0 } },
    {
      what: 'windows that hold others than the last 1,000',
      value: wrong.length,
      unit: '',
      bar: { atMost: 0 },
    },
    { what: 'pause, median', value: median(paused), unit: 'ms', bar: { atMost: limit } },
    { what: 'pause, longest', value: Math.max(...paused), unit: 'ms', bar: { atMost: limit } },
    { what: 'longest gap at the dashboard, median of the moves', value: median(gaps), unit: 'ms' },
  ];
}

function resultOf({ payload }: Result): { count: number; first: number; last: number } {
  return payload.result as never;
}

const lastOf = ({ all }: Results) => (all.length === 0 ? undefined : resultOf(all.at(-1)!).last);

/** Between two results that came after a moment, in ms. */
function longestGap({ all }: Results, since: number): number {
  const times = all.map(({ arrived }) => arrived).filter((arrived) => arrived >= since);
  return Math.max(0, ...times.slice(1).map((time, at) => time - times[at]!));
}
