import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  DurableState,
  type Output,
  type Pane,
  parseWindowSpec,
  SteadyClock,
  WindowEngine,
  WindowRunner,
} from '../../lib/stream';
import { temporaryFolder } from '../support/temporary';
import { show } from './run';

describe('WindowRunner', () => {
  const folder = temporaryFolder();

  function start(spec: object, clock: { now(): number } = new SteadyClock()) {
    const outputs: Output[] = [];
    const errors: unknown[] = [];
    let heard = () => {};
    const engine = new WindowEngine(parseWindowSpec(spec));
    const runner = new WindowRunner(engine, {
      clock,
      onOutput: (output) => {
        outputs.push(output);
        heard();
      },
      onError: (error) => errors.push(error),
    });
    const until = async (count: number) => {
      while (outputs.length < count) {
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      }
    };
    return { engine, runner, outputs, errors, until };
  }

  it('fires processing-time windows by itself', async () => {
    const { runner, outputs, until } = start({
      type: 'tumbling',
      size: 20,
      time: 'processing',
      aggregates: [{ op: 'sum' }],
    });
    runner.push({ kind: 'event', event: { value: 4 } });
    await until(1);
    assert.match(show(outputs[0]!), / on-time#0 n=1 \[4\]$/);
    await runner.close();
  });

  it('fires early panes and lets sources fall idle by the clock', async () => {
    const { runner, outputs, until } = start({
      type: 'tumbling',
      size: 10,
      outOfOrderness: 0,
      idleTimeout: 60,
      early: { every: 20 },
    });
    runner.push({ kind: 'event', event: { time: 1, source: 'a' } });
    await until(1);
    runner.push({ kind: 'event', event: { time: 50, source: 'b' } });
    const beat = setInterval(() => runner.push({ kind: 'event', event: { time: 51, source: 'b' } }), 10);
    await until(2);
    while (!outputs.some((output) => show(output) === '0..10 on-time#1 n=0 []'))
      await until(outputs.length + 1);
    clearInterval(beat);
    assert.equal(show(outputs[0]!), '0..10 early#0 n=1 []');
    await runner.close();
  });

  it('gives JSONata answers in the order of panes, and an error with a null', async () => {
    const { runner, outputs, errors, until } = start({
      type: 'count',
      count: 1,
      aggregates: [{ op: 'jsonata', expr: '$number($[0]) * 2', as: 'x' }],
    });
    const done: string[] = [];
    for (const value of ['1', 'no number', '3']) {
      runner.push({ kind: 'event', event: { time: 1, value }, done: () => done.push(value) });
    }
    assert.deepEqual(done, []);
    await until(3);
    await runner.close();
    assert.deepEqual(done, ['1', 'no number', '3']);
    assert.deepEqual(
      outputs.map((output) => (output as Pane).result.x),
      [2, null, 6],
    );
    assert.deepEqual(
      errors.map((error) => (error as { code: string }).code),
      ['ERR_STREAM_EXPRESSION'],
    );
  });

  it('lets others have their turn while very many windows close', async () => {
    const { runner, outputs } = start({
      type: 'tumbling',
      size: 10,
      outOfOrderness: 0,
      aggregates: [{ op: 'mean' }],
    });
    const keys = 50_000;
    for (let n = 0; n < keys; n += 1)
      runner.push({ kind: 'event', event: { time: 1, key: `${n}`, value: n } });
    while (runner.backlog > 0) await nextTurn();
    runner.push({ kind: 'watermark', value: 10 });
    let turns = 0;
    while (outputs.length < keys) {
      await nextTurn();
      turns += 1;
    }
    assert(turns > 3, `${turns} turns`);
    await runner.close();
  });

  it('serves flush and reset in their turn', async () => {
    const { runner, outputs } = start({ type: 'tumbling', size: 10, aggregates: [{ op: 'collect' }] });
    const event = (time: number, key: string) =>
      runner.push({ kind: 'event', event: { time, key, value: time } });
    event(1, 'a');
    event(15, 'a');
    event(2, 'b');
    runner.push({ kind: 'flush', key: 'a' });
    event(3, 'a');
    runner.push({ kind: 'reset', key: 'b' });
    runner.push({ kind: 'flush' });
    await runner.close();
    assert.deepEqual(outputs.map(show), [
      'a 0..10 on-time#0 n=1 [[1]]',
      'a 10..20 on-time#0 n=1 [[15]]',
      'a 0..10 on-time#0 n=1 [[3]]',
    ]);
  });

  it('writes durable state by itself, and all of it when it is closed', async () => {
    const path = folder.join('state.db');
    const spec = parseWindowSpec({ type: 'tumbling', size: 10 });
    for (const expected of ['new', 'restored']) {
      const engine = new WindowEngine(spec);
      const durable = await DurableState.open(engine, { path, settings: 'x' });
      assert.equal(durable.outcome, expected);
      assert.equal(engine.fill.keys, expected === 'new' ? 0 : 1);
      const clock = new SteadyClock(engine.clock);
      const runner = new WindowRunner(engine, {
        clock,
        durable,
        onOutput: () => {},
        onError: (error) => assert.fail(String(error)),
      });
      runner.push({ kind: 'event', event: { time: 1 } });
      await runner.close();
    }
  });
});
