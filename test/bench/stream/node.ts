import { BenchFlow, type FlowNode } from './flow';
import { median, type Row, type StreamCase } from './row';

const windowNode = (settings: object): FlowNode => ({
  id: 'first',
  type: 'window',
  wires: [['sink'], []],
  ...settings,
});
const eventTime = {
  time: 'event',
  timeProperty: 'payload.time',
  outOfOrderness: '0 s',
  value: 'payload.value',
};
const tumbling = { ...eventTime, size: '1 s', aggregates: [{ op: 'mean' }] };
const payload = (n: number) => ({ time: n, value: n % 997 });

/** The window node in a flow. */
export const node: StreamCase = {
  name: 'node',
  async run(quick) {
    const flow = await BenchFlow.start();
    const messages = quick ? 200_000 : 1_000_000;
    const rounds = quick ? 3 : 7;
    const pass: FlowNode = { id: 'first', type: 'bench-pass', wires: [['sink']] };
    const rates: Record<string, number[]> = { pass: [], off: [], on: [] };
    const measure = async (name: string, middle: FlowNode) => {
      const { perSecond } = await flow.rate([middle], { messages, warmUp: 150_000, payload });
      rates[name]!.push(perSecond);
    };
    // In turn, so that what else the machine does hits all of them.
    for (let round = 0; round < rounds; round += 1) {
      await measure('pass', pass);
      await measure('off', windowNode({ ...tumbling, durable: false }));
      await measure('on', windowNode({ ...tumbling, durable: true }));
    }
    const [passed, off, on] = ['pass', 'off', 'on'].map((name) => median(rates[name]!)) as [
      number,
      number,
      number,
    ];
    const rows: Row[] = [
      {
        what: 'window node, tumbling mean, one key',
        value: off,
        unit: 'messages/s',
        peer: { name: 'pass-through node', value: passed },
      },
      { what: 'window node / pass-through node', value: off / passed, unit: 'x', bar: { atLeast: 0.6 } },
      {
        what: 'window node with durable state',
        value: on,
        unit: 'messages/s',
        peer: { name: 'durable off', value: off },
      },
      {
        what: 'durable state: slower by',
        value: Math.max(0, (1 - on / off) * 100),
        unit: '%',
        bar: { atMost: 25 },
      },
    ];
    rows.push(...(await slideByOne(flow, quick)));
    await flow.stop();
    return rows;
  },
};

async function slideByOne(flow: BenchFlow, quick: boolean): Promise<Row[]> {
  const batch: FlowNode[] = [
    {
      id: 'first',
      type: 'batch',
      mode: 'count',
      count: '1000',
      overlap: '999',
      interval: '10',
      allowEmptySequence: false,
      topics: [],
      wires: [['joined']],
    },
    {
      id: 'joined',
      type: 'join',
      mode: 'auto',
      build: 'array',
      property: 'payload',
      propertyType: 'msg',
      key: 'topic',
      joiner: '',
      useparts: true,
      accumulate: false,
      timeout: '',
      count: '',
      reduceRight: false,
      wires: [['sink']],
    },
  ];
  // Each message makes a thousand: more at once would fill the memory.
  const few = {
    messages: quick ? 200 : 1_000,
    warmUp: 1_000,
    burst: 5,
    payload: (n: number) => n,
    answered: true,
  };
  const widths = [1_000, 100_000];
  const theirs: number[] = [];
  const ours: number[][] = widths.map(() => []);
  // In turn, so that what else the machine does hits both.
  for (let round = 0; round < (quick ? 1 : 5); round += 1) {
    theirs.push((await flow.rate(batch, few)).perCpuSecond);
    for (const [index, width] of widths.entries()) {
      const load = {
        messages: quick ? 100_000 : 300_000,
        warmUp: 1.2 * width + 60_000,
        payload: (n: number) => n % 997,
      };
      ours[index]!.push((await flow.rate([byOne(width)], load)).perCpuSecond);
    }
  }
  return widths.flatMap((width, index) => {
    const label = `window node by one, width ${width.toLocaleString('en')}`;
    const [own, peer] = [median(ours[index]!), median(theirs)];
    return [
      {
        what: label,
        value: own,
        unit: 'messages/CPU-s',
        peer: { name: 'batch(1000/999) + join', value: peer },
      },
      { what: `${label} / batch + join`, value: own / peer, unit: 'x', bar: { atLeast: 500 } },
    ];
  });
}

function byOne(width: number): FlowNode {
  const aggregates = [{ op: 'mean' }];
  return windowNode({ windowType: 'count', count: width, step: 1, durable: false, aggregates });
}
