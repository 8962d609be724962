import { deepEqual, rejects } from 'node:assert/strict';
import {
  forgetKeys,
  mergeSnapshot,
  outputsOf,
  type Pane,
  parseWindowSpec,
  takeSnapshot,
  WindowEngine,
} from '../../lib/stream';

const aggregates = [{ op: 'collect' }, { op: 'mean' }];
const SPECS = {
  tumbling: { type: 'tumbling', size: 10, time: 'event', aggregates },
  sliding: { type: 'sliding', size: 10, time: 'event', aggregates },
  session: { type: 'session', gap: 3, time: 'event', aggregates },
  count: { type: 'count', count: 4, time: 'event', aggregates },
};
const KEYS = ['a', 'b', 'c', 'd'];
const isFirst = (key: string) => key < 'c';

/** Adds the numbers to their keys in turn, and says how far time has come. */
async function feed(engines: WindowEngine[], from: number, to: number): Promise<Pane[]> {
  const panes: Pane[] = [];
  for (let time = from; time < to; time += 1) {
    const key = KEYS[time % KEYS.length]!;
    engines[isFirst(key) ? 0 : engines.length - 1]!.add({ time, key, value: time, source: 's' });
    for (const engine of engines) {
      panes.push(...((await outputsOf(engine)) as Pane[]));
      engine.advanceWatermark(time);
      panes.push(...((await outputsOf(engine)) as Pane[]));
    }
  }
  return panes.sort((a, b) => a.end - b.end || (a.key < b.key ? -1 : 1));
}

describe('the state of windows', () => {
  for (const [name, input] of Object.entries(SPECS)) {
    const spec = parseWindowSpec(input as never);

    it(`moves from one engine to two by key, and back to one: ${name}`, async () => {
      const whole = new WindowEngine(spec);
      const expected = [...(await feed([whole], 0, 33)), ...(await feed([whole], 33, 57))];
      expected.push(...(await feed([whole], 57, 90)));

      const [one, two, last] = [new WindowEngine(spec), new WindowEngine(spec), new WindowEngine(spec)];
      const got = await feed([one], 0, 33);
      await mergeSnapshot(two, await takeSnapshot(one, (key) => !isFirst(key)));
      await forgetKeys(one, (key) => !isFirst(key));
      deepEqual(
        [...one.keys()].filter((key) => !isFirst(key)),
        [],
      );
      got.push(...(await feed([one, two], 33, 57)));
      for (const engine of [one, two]) await mergeSnapshot(last, await takeSnapshot(engine));
      got.push(...(await feed([last], 57, 90)));
      deepEqual(got, expected);
    });
  }

  it('takes the place of what is there of the same keys, with the later time', async () => {
    const spec = parseWindowSpec(SPECS.tumbling as never);
    const [from, to] = [new WindowEngine(spec), new WindowEngine(spec)];
    await feed([from], 0, 25);
    await feed([to], 0, 5);
    const state = await takeSnapshot(from);
    await mergeSnapshot(to, state);
    await mergeSnapshot(to, state);
    deepEqual(JSON.parse(String(await takeSnapshot(to)).split('\n')[0]!).meta.watermark.value, 24);
    deepEqual(await feed([to], 25, 60), await feed([from], 25, 60));
    await forgetKeys(to);
    deepEqual([...to.keys()], []);
  });

  it('is refused when it is damaged, or of other windows, and changes nothing then', async () => {
    const engine = new WindowEngine(parseWindowSpec(SPECS.tumbling as never));
    await feed([engine], 0, 25);
    const before = await takeSnapshot(engine);
    const other = await takeSnapshot(new WindowEngine(parseWindowSpec(SPECS.session as never)));
    for (const state of [other, before.subarray(0, before.length - 5), Buffer.from('')]) {
      await rejects(mergeSnapshot(engine, state), { code: 'ERR_STREAM_STATE' });
    }
    deepEqual(await takeSnapshot(engine), before);
  });
});
