import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import {
  DurableState,
  type EngineState,
  parseWindowSpec,
  WindowEngine,
  type WindowSpec,
  type WindowSpecInput,
} from '../../lib/stream';
import { Random, randomCase, type Step } from '../stream/reference/generator';
import { temporaryFolder } from '../support/temporary';

/** A seed from outside repeats a run: GARUA_SEED=123. */
const SEED = Number(process.env.GARUA_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe(`durable state after a crash (GARUA_SEED=${SEED})`, () => {
  const folder = temporaryFolder();
  let files = 0;
  const newPath = () => folder.join(`crash-${++files}`, 'state.db');

  /**
   * Feeds an engine with durable state that crashes now and then: it goes on from the file as the crash left
   * it, with the steps that came after the last flush once more. It must say what an engine says that was
   * never interrupted.
   */
  async function compare(spec: WindowSpec, steps: Step[], random: Random, where: string): Promise<void> {
    const whole = new WindowEngine(spec);
    const said = steps.map((step) => drain(feed(whole, step)));
    let { engine, state, path } = await open(spec, newPath(), 'new');
    let flushed = { at: 0, moment: stateOf(engine) };
    for (let at = 0; at < steps.length; at += 1) {
      assert.equal(drain(feed(engine, steps[at]!)), said[at], `${where}, step ${at}`);
      const dice = random.next();
      if (dice < 0.2) {
        const moment = stateOf(engine);
        const flush = state.flush();
        const during = Math.min(steps.length - 1 - at, random.whole(0, 4));
        const next = at + 1;
        for (let n = 0; n < during; n += 1) {
          at += 1;
          assert.equal(drain(feed(engine, steps[at]!)), said[at], `${where}, step ${at}, in a flush`);
        }
        await flush;
        flushed = { at: next, moment };
      } else if (dice < 0.25 && flushed.at > 0) {
        const crashed = newPath();
        cpSync(dirname(path), dirname(crashed), { recursive: true });
        await state.close();
        ({ engine, state, path } = await open(spec, crashed, 'recovered'));
        sameState(stateOf(engine), flushed.moment, `${where}, step ${at}`);
        at = flushed.at - 1;
      }
    }
    await state.close();
    ({ engine, state, path } = await open(spec, path, 'restored'));
    sameState(stateOf(engine), stateOf(whole), `${where}, end`);
    await state.close();
  }

  async function open(spec: WindowSpec, path: string, outcome: string) {
    const engine = new WindowEngine(spec);
    const state = await DurableState.open(engine, { path, settings: 'same' });
    assert.equal(state.outcome, outcome);
    return { engine, state, path };
  }

  it('is that of the last flush to the byte, for all types of windows', async function () {
    this.timeout(120_000);
    for (let n = 0; n < 30; n += 1) {
      const { spec, steps } = randomCase(SEED + n);
      await compare(parseWindowSpec(spec), steps, new Random(SEED + n), `seed ${SEED}, case ${n}`);
    }
  });

  const aggregates = [{ op: 'mean' }, { op: 'collect' }, { op: 'last' }, { op: 'stddev' }];
  const wide: WindowSpecInput[] = [
    { type: 'sliding', size: 3_000, outOfOrderness: 500, aggregates: [{ op: 'mean' }, { op: 'max' }] },
    { type: 'count', count: 3_000, step: 1, aggregates: [{ op: 'sum' }, { op: 'last' }] },
    { type: 'count', count: 700, step: 900, aggregates },
    { type: 'tumbling', size: 4_000, outOfOrderness: 100, aggregates, early: { events: 700 } },
    { type: 'session', gap: 40, outOfOrderness: 100, aggregates },
  ];
  for (const spec of wide) {
    it(`holds lists of thousands of events: ${spec.type}`, async function () {
      this.timeout(120_000);
      const random = new Random(SEED);
      const checked = parseWindowSpec(spec);
      let { engine, state, path } = await open(checked, newPath(), 'new');
      const whole = new WindowEngine(checked);
      let now = 0;
      for (let round = 0; round < 60; round += 1) {
        // Rows of a few, of some hundreds, and of more than a block; numbers alone, and everything.
        const many = random.pick([1, 3, 30, 300, 1_500]);
        const numbers = random.chance(0.6);
        for (let n = 0; n < many; n += 1) {
          now += random.chance(0.002) ? 200 : 1;
          const value = numbers ? random.next() : random.pick<unknown>([null, 'text', { a: 1 }, 2.5]);
          const event = { time: now - random.whole(0, 60), key: random.pick(['a', 'b']), value };
          const outputs = [whole, engine].map((each) => drain(feed(each, { event })));
          assert.equal(outputs[1], outputs[0], `GARUA_SEED=${SEED}, round ${round}`);
        }
        await state.flush();
        if (round % 8 !== 7) continue;
        const crashed = newPath();
        cpSync(dirname(path), dirname(crashed), { recursive: true });
        await state.close();
        ({ engine, state, path } = await open(checked, crashed, 'recovered'));
        sameState(stateOf(engine), stateOf(whole), `GARUA_SEED=${SEED}, round ${round}`);
      }
      await state.close();
    });
  }

  it('keeps in the file only what still counts, in few rows', async () => {
    const spec = parseWindowSpec({ type: 'count', count: 2_000, step: 1, aggregates: [{ op: 'sum' }] });
    const { engine, state, path } = await open(spec, newPath(), 'new');
    for (let n = 0; n < 10_000; n += 1) {
      drain(feed(engine, { event: { time: n, value: n } }));
      if (n % 10 === 0) await state.flush();
    }
    await state.close();
    const database = new Sqlite(path, { readonly: true });
    const { rows, events } = database
      .prepare('SELECT count(*) AS rows, sum(length(stamps)) / 16 AS events FROM window_pieces')
      .get() as { rows: number; events: number };
    database.close();
    assert(events >= 2_000 && events < 2_300, `${events} events`);
    assert(rows < 12, `${rows} rows`);
  });

  it('is whole again after a flush that failed', async () => {
    const spec = parseWindowSpec({
      type: 'sliding',
      size: 1_000,
      outOfOrderness: 50,
      aggregates: [{ op: 'sum' }],
    });
    const { engine, state, path } = await open(spec, newPath(), 'new');
    const add = (from: number, to: number) => {
      for (let time = from; time < to; time += 1) drain(feed(engine, { event: { time, value: time } }));
    };
    add(0, 300);
    await state.flush();
    const database = new Sqlite(path);
    database.exec(
      `CREATE TRIGGER refuse BEFORE INSERT ON window_pieces BEGIN SELECT RAISE(ABORT, 'refused'); END`,
    );
    add(300, 1_200);
    await assert.rejects(state.flush(), { code: 'ERR_STREAM_STORAGE' });
    add(1_200, 1_500);
    await assert.rejects(state.flush(), { code: 'ERR_STREAM_STORAGE' });
    database.exec('DROP TRIGGER refuse');
    database.close();
    add(1_500, 1_600);
    await state.flush();
    add(1_600, 1_700);
    await state.close();
    const again = await open(spec, path, 'restored');
    sameState(stateOf(again.engine), stateOf(engine), 'after the failure');
    await again.state.close();
  });

  it('holds null where a value is no JSON', async () => {
    const spec = parseWindowSpec({
      type: 'count',
      count: 5,
      step: 1,
      aggregates: [{ op: 'collect' }, { op: 'last' }],
    });
    const { engine, state, path } = await open(spec, newPath(), 'new');
    const circle: Record<string, unknown> = { n: 1 };
    circle.itself = circle;
    for (const value of [circle, 5n, { shared: [1] }]) {
      engine.add({ time: 0, value });
      while (engine.next());
    }
    await state.close();
    const again = await open(spec, path, 'restored');
    assert.deepEqual(
      drain(feed(again.engine, { event: { time: 1, value: 4 } })),
      [
        '{"key":"","start":0,"end":1,"pane":"on-time","index":3,"count":4,"result":' +
          '{"collect":[{"n":1,"itself":null},null,{"shared":[1]},4],"last":4}}',
      ].join(),
    );
    await again.state.close();
  });
});

function feed(engine: WindowEngine, step: Step): WindowEngine {
  if ('event' in step) engine.add(step.event);
  else if ('watermark' in step) engine.advanceWatermark(step.watermark);
  else engine.advanceClock(step.processingTime);
  return engine;
}

/** A pane may hold thousands of values: compared as text, and no longer than needed. */
function drain(engine: WindowEngine): string {
  let text = '';
  for (let output = engine.next(); output; output = engine.next()) text += JSON.stringify(output);
  return text;
}

/** Windows that are closed are forgotten a few at a time: this waits until that is done. */
function stateOf(engine: WindowEngine): EngineState {
  for (let n = 0; n < 20; n += 1) engine.next();
  return engine.snapshot();
}

function sameState(actual: EngineState, expected: EngineState, where: string): void {
  const [is, should] = [actual, expected].map(({ meta, keys }) =>
    JSON.stringify([meta, keys.sort(([a], [b]) => (a < b ? -1 : 1))]),
  );
  assert(is === should, `${where}\n${is!.slice(0, 2_000)}\nshould be\n${should!.slice(0, 2_000)}`);
}
