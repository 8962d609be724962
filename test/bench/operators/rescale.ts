import { setTimeout as delay } from 'node:timers/promises';
import { PlacedTestFlow } from '../../host/operators/operator-fog';
import { eventually } from '../../mesh/support/mesh-process';
import type { Row, StreamCase } from '../stream/row';
import { codeNode, operatorOf } from './bodies';
import { Load, type Reading, Results } from './load';
import { NodeRedFog } from './node-red-fog';

const FLOW = 'rescaling';
const BACK = 'rescaled';
const PER_SECOND = 500;
const KEYS = 100;
const PATIENCE = 60_000;
/** Under load before, between and after, in ms. */
const WHILE = 4_000;

/** A keyed operator runs as one, as three, and as one instance again, while messages come. */
export const rescale: StreamCase = {
  name: 'rescale',
  async run(quick) {
    const fog = await NodeRedFog.start();
    try {
      const host = fog.host('sensors');
      const owner = (await host.fog())!.peerId;
      const results = new Results(fog.host('dashboard'), BACK);
      const flow = new PlacedTestFlow(host, FLOW, []);
      const row = [codeNode('return msg;')];
      const keyed = { keyed: true, key: 'key', instances: { least: 1, most: 3 } };
      flow.place([operatorOf('keyed', row, { operators: [], topics: [BACK] }, keyed)]);
      await flow.reaches('keyed', 'running');
      const load = new Load({
        ...{ host, owner, flow: FLOW, operator: 'keyed', perSecond: PER_SECOND, bytes: 200, keys: KEYS },
      });
      const seconds: number[] = [];
      for (const instances of quick ? [3, 1] : [3, 1, 3, 1, 3, 1]) {
        await delay(WHILE);
        const start = performance.now();
        await host.scaleOperator(FLOW, 'keyed', instances);
        seconds.push((performance.now() - start) / 1_000);
      }
      await delay(WHILE);
      await load.stop();
      await eventually(async () => new Set(numbersOf(results)).size, load.sent, PATIENCE);
      await flow.leave();
      await results.end();
      return rowsOf(results, load, seconds);
    } finally {
      await fog.stop();
    }
  },
};

const readingsOf = ({ all }: Results) => all.map(({ payload }) => payload as unknown as Reading);
const numbersOf = (results: Results) => readingsOf(results).map(({ n }) => n);

function rowsOf(results: Results, load: Load, seconds: number[]): Row[] {
  const numbers = numbersOf(results);
  const seen = new Set(numbers);
  const last = new Map<string, number>();
  let disordered = 0;
  for (const { n, key } of readingsOf(results)) {
    if (n < (last.get(key) ?? -1)) disordered += 1;
    last.set(key, n);
  }
  const never = { unit: '', bar: { atMost: 0 } };
  return [
    {
      what: `messages lost of ${load.sent} over ${seconds.length} rescales`,
      value: load.sent - seen.size,
      ...never,
    },
    { what: 'messages that found a queue full', value: load.dropped, ...never },
    { what: 'messages that came twice', value: numbers.length - seen.size, ...never },
    { what: 'messages that came before an earlier one with their key', value: disordered, ...never },
    { what: 'the longest rescale took', value: Math.max(...seconds), unit: 's' },
  ];
}
