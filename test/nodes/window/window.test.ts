import { deepEqual, equal, match } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Snapshottable } from '../../../lib/placement';
import type { LateEvent, Pane } from '../../../lib/stream';
import type { WindowDef } from '../../../nodes/window/settings';
import { show } from '../../stream/run';
import { TestNodeRed } from '../../support/node-red';
import { temporaryFolder } from '../../support/temporary';

describe('the window node', () => {
  const nodeRed = new TestNodeRed();
  const folder = temporaryFolder();

  before(() => nodeRed.helper.settings({ userDir: folder.path }));

  const eventTime: Partial<WindowDef> = {
    time: 'event',
    timeProperty: 'payload.t',
    outOfOrderness: '0 s',
    size: '10 ms',
    value: 'payload.v',
    aggregates: [{ op: 'collect' }],
  };

  function flowOf(fields: Partial<WindowDef>, id = 'w') {
    return [
      { id: 'tab', type: 'tab', label: 'test' },
      { id, z: 'tab', type: 'window', wires: [['panes'], ['late']], ...fields },
      { id: 'panes', z: 'tab', type: 'helper' },
      { id: 'late', z: 'tab', type: 'helper' },
    ];
  }

  const panes = () => (nodeRed.received.get('panes') ?? []).map(({ payload }) => show(payload as Pane));
  const late = () => (nodeRed.received.get('late') ?? []).map(({ payload }) => payload as LateEvent);

  async function panesAre(expected: string[]): Promise<void> {
    for (let n = 0; n < expected.length; n += 1) await nodeRed.message('panes', () => true, n);
    deepEqual(panes(), expected);
  }

  it('works with what is set when it is dropped', async () => {
    await nodeRed.load(flowOf({ size: '200 ms' }));
    nodeRed.send('w', { payload: 20, topic: 'a' });
    nodeRed.send('w', { payload: 30, topic: 'b' });
    const { payload, topic } = await nodeRed.message('panes');
    equal(topic, '');
    deepEqual((payload as Pane).result, { count: 2, mean: 25 });
  });

  it('gives its state to another one, by key', async () => {
    const fields = { ...eventTime, keyType: 'msg', key: 'topic', sourceByTopic: false };
    const second = { id: 'second', z: 'tab', type: 'window', wires: [['panes'], []], ...fields };
    await nodeRed.load([...flowOf(fields), second]);
    for (const topic of ['quay', 'park']) nodeRed.send('w', { topic, payload: { t: 1, v: 1 } });
    const [from, to] = ['w', 'second'].map((id) => nodeRed.helper.getNode(id) as never as Snapshottable);
    const isPark = (key: string) => key === 'park';
    await to!.restore(await from!.snapshot(isPark));
    await from!.forget(isPark);
    for (const id of ['second', 'w']) nodeRed.send(id, { topic: 'other', payload: { t: 12, v: 2 } });
    await nodeRed.message('panes', () => true, 1);
    deepEqual(
      nodeRed.received.get('panes')!.map(({ topic }) => topic),
      ['park', 'quay'],
    );
  });

  it('goes by event time, and sends late messages to its second output', async () => {
    await nodeRed.load(
      flowOf({ ...eventTime, keyType: 'msg', key: 'topic', sourceByTopic: false, maxAhead: '1 s' }),
    );
    nodeRed.send('w', { topic: 'quay', payload: { t: 1, v: 60 } });
    nodeRed.send('w', { topic: 'quay', payload: { t: 3, v: 61 } });
    nodeRed.send('w', { topic: 'park', payload: { t: 12, v: 40 } });
    nodeRed.send('w', { topic: 'quay', payload: { t: 2, v: 99 }, battery: 3 });
    nodeRed.send('w', { topic: 'quay', payload: { t: Date.now() + 60_000, v: 1 } });
    nodeRed.send('w', { topic: 'quay', payload: { t: 'noon', v: 1 } });
    nodeRed.send('w', { action: 'flush' });
    await panesAre(['quay 0..10 on-time#0 n=2 [[60,61]]', 'park 10..20 on-time#0 n=1 [[40]]']);
    equal(nodeRed.received.get('panes')![0]!.topic, 'quay');
    deepEqual(
      late().map(({ reason }) => reason),
      ['late', 'future', 'time'],
    );
    deepEqual(late()[0]!.late, { time: 2, key: 'quay', value: 99, source: '' });
    equal(nodeRed.received.get('late')![0]!.battery, 3);
  });

  it('takes a source back that was silent for longer than it may be ahead', async () => {
    await nodeRed.load(flowOf({ ...eventTime, maxAhead: '1 h' }));
    const now = Date.now();
    for (const [t, v] of [
      [now - 86_400_000, 1],
      [now + 2 * 3_600_000, 2],
      [now, 3],
    ]) {
      nodeRed.send('w', { payload: { t, v } });
    }
    nodeRed.send('w', { action: 'flush' });
    await nodeRed.message('panes', () => true, 1);
    deepEqual(
      late().map(({ late: event, reason }) => [event.value, reason]),
      [[2, 'future']],
    );
    deepEqual(
      (nodeRed.received.get('panes') ?? []).map(({ payload }) => (payload as Pane).result.collect),
      [[1], [3]],
    );
  });

  it('takes each topic for a source of its own', async () => {
    await nodeRed.load(flowOf(eventTime));
    nodeRed.send('w', { topic: 'a', payload: { t: 1, v: 1 } });
    nodeRed.send('w', { topic: 'b', payload: { t: 2, v: 2 } });
    nodeRed.send('w', { topic: 'a', payload: { t: 55, v: 3 } });
    nodeRed.send('w', { topic: 'b', payload: { t: 15, v: 4 } });
    await panesAre(['0..10 on-time#0 n=2 [[1,2]]']);
  });

  it('takes topics that are numbers for sources of their own, too', async () => {
    await nodeRed.load(flowOf(eventTime));
    nodeRed.send('w', { topic: 1, payload: { t: 1, v: 1 } });
    nodeRed.send('w', { topic: 2, payload: { t: 2, v: 2 } });
    nodeRed.send('w', { topic: 1, payload: { t: 55, v: 3 } });
    nodeRed.send('w', { topic: 2, payload: { t: 5, v: 4 } });
    nodeRed.send('w', { topic: 2, payload: { t: 15, v: 5 } });
    await panesAre(['0..10 on-time#0 n=3 [[1,2,4]]']);
  });

  it('can be keyed by a JSONata expression, in the order of messages', async () => {
    await nodeRed.load(
      flowOf({
        windowType: 'count',
        count: 2,
        keyType: 'jsonata',
        key: '$uppercase(topic)',
        aggregates: [{ op: 'collect' }],
      }),
    );
    ['a', 'b', 'A', 'B', 'a'].forEach((topic, payload) => {
      nodeRed.send('w', { topic, payload });
    });
    nodeRed.send('w', { action: 'flush' });
    await nodeRed.message('panes', () => true, 2);
    deepEqual(
      (nodeRed.received.get('panes') ?? []).map(({ topic, payload }) => [
        topic,
        (payload as Pane).result.collect,
      ]),
      [
        ['A', [0, 2]],
        ['B', [1, 3]],
        ['A', [4]],
      ],
    );
  });

  it('obeys flush, reset and watermark', async () => {
    await nodeRed.load(flowOf({ ...eventTime, outOfOrderness: '', keyType: 'msg', key: 'topic' }));
    nodeRed.send('w', { topic: 'a', payload: { t: 1, v: 1 } });
    nodeRed.send('w', { topic: 'b', payload: { t: 1, v: 2 } });
    nodeRed.send('w', { action: 'reset', key: 'a' });
    nodeRed.send('w', { action: 'watermark', payload: 9 });
    nodeRed.send('w', { action: 'watermark', payload: '1970-01-01T00:00:00.010Z' });
    nodeRed.send('w', { topic: 'c', payload: { t: 12, v: 3 } });
    nodeRed.send('w', { topic: 'd', payload: { t: 12, v: 4 } });
    nodeRed.send('w', { action: 'flush', key: 'd' });
    await panesAre(['b 0..10 on-time#0 n=1 [[2]]', 'd 10..20 on-time#0 n=1 [[4]]']);
  });

  it('knows a number as the key to flush or reset, and never takes what is no key for all keys', async () => {
    await nodeRed.load(flowOf({ ...eventTime, keyType: 'msg', key: 'topic' }));
    for (const topic of [5, 7, 9]) nodeRed.send('w', { topic, payload: { t: 1, v: topic } });
    nodeRed.send('w', { action: 'reset', key: 5 });
    nodeRed.send('w', { action: 'reset', key: { street: 7 } });
    nodeRed.send('w', { action: 'flush', key: 7 });
    await panesAre(['7 0..10 on-time#0 n=1 [[7]]']);
    nodeRed.send('w', { action: 'flush' });
    await panesAre(['7 0..10 on-time#0 n=1 [[7]]', '9 0..10 on-time#0 n=1 [[9]]']);
  });

  it('keeps within its limits, and says so', async () => {
    await nodeRed.load(flowOf({ ...eventTime, keyType: 'msg', key: 'payload.k', maxKeys: 2 }));
    for (const k of ['a', 'b', 'c', 'a']) nodeRed.send('w', { payload: { t: 1, v: 0, k } });
    await nodeRed.message('late');
    deepEqual(
      late().map(({ late: event, reason }) => [event.key, reason]),
      [['c', 'limit']],
    );
    await nodeRed.status('w', /yellow ring limit reached/);
  });

  it('shows open windows and the lag of the watermark', async () => {
    await nodeRed.load(flowOf({ ...eventTime, size: '1 h' }));
    nodeRed.send('w', { payload: { t: Date.now() - 125_000, v: 1 } });
    match(await nodeRed.status('w', /1 open/), /^green dot 1 open, -2m[5-9]s$/);
  });

  it('gives JSONata answers, and reports an expression that fails', async () => {
    await nodeRed.load(
      flowOf({ windowType: 'count', count: 1, aggregates: [{ op: 'jsonata', parameter: '$number($[0])' }] }),
    );
    nodeRed.send('w', { payload: '5' });
    nodeRed.send('w', { payload: 'five' });
    await nodeRed.message('panes', () => true, 1);
    deepEqual(
      (nodeRed.received.get('panes') ?? []).map(({ payload }) => (payload as Pane).result.jsonata),
      [5, null],
    );
    await nodeRed.status('w', /red ring expression failed/);
  });

  it('goes on after a redeploy, and its state goes with the node', async () => {
    const flow = flowOf(eventTime, 'stays');
    await nodeRed.load(flow);
    nodeRed.send('stays', { payload: { t: 1, v: 1 } });
    // With the same settings: nothing is lost, not even between two deploys that follow each other.
    await nodeRed.deploy(flow);
    nodeRed.send('stays', { payload: { t: 2, v: 2 } });
    await nodeRed.deploy(flow);
    nodeRed.send('stays', { payload: { t: 10, v: 3 } });
    await panesAre(['0..10 on-time#0 n=2 [[1,2]]']);
    equal(existsSync(folder.join('garua/windows/stays.db')), true);
    await nodeRed.deploy(flowOf(eventTime, 'other'));
    equal(existsSync(folder.join('garua/windows/stays.db')), false);
  });

  it('starts afresh when its settings have changed', async () => {
    await nodeRed.load(flowOf(eventTime));
    nodeRed.send('w', { payload: { t: 1, v: 1 } });
    await nodeRed.deploy(flowOf({ ...eventTime, size: '20 ms' }));
    nodeRed.send('w', { payload: { t: 2, v: 2 } });
    nodeRed.send('w', { action: 'flush' });
    await panesAre(['0..20 on-time#0 n=1 [[2]]']);
  });

  it('keeps no file when it should not', async () => {
    await nodeRed.load(flowOf({ ...eventTime, durable: false }, 'forgetful'));
    nodeRed.send('forgetful', { payload: { t: 1, v: 1 } });
    nodeRed.send('forgetful', { action: 'flush' });
    await panesAre(['0..10 on-time#0 n=1 [[1]]']);
    equal(existsSync(folder.join('garua/windows/forgetful.db')), false);
  });

  it('says which setting is wrong, at once and to each message', async () => {
    await nodeRed.load(flowOf({ windowType: 'hopping', size: '1 s', slide: '2 s' }));
    await nodeRed.status('w', /red ring wrong settings/);
    nodeRed.send('w', { payload: 1 });
    await delay(20);
    deepEqual(panes(), []);
  });

  it('answers done once a message is served', async () => {
    await nodeRed.load([...flowOf(eventTime), { id: 'complete', z: 'tab', type: 'helper' }]);
    const node = nodeRed.helper.getNode('w');
    const done = new Promise((resolve) => {
      (node as unknown as { _complete: (message: unknown) => void })._complete = resolve;
    });
    nodeRed.send('w', { payload: { t: 1, v: 1 }, mark: 7 });
    equal(((await done) as { mark: number }).mark, 7);
  });
});
