import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DurableState, isLate, parseWindowSpec, WindowEngine, type WindowSpec } from '../../../lib/stream';
import { temporaryFolder } from '../../support/temporary';
import { randomCase } from '../reference/generator';

describe('durable state', () => {
  const folder = temporaryFolder();
  let files = 0;
  const newPath = () => folder.join(`folder-${++files}`, 'state.db');

  const spec = parseWindowSpec({
    type: 'tumbling',
    size: 100,
    outOfOrderness: 0,
    aggregates: [{ op: 'sum' }, { op: 'collect' }],
  });

  async function open(path: string, settings = 'same', used: WindowSpec = spec) {
    const engine = new WindowEngine(used);
    return { engine, state: await DurableState.open(engine, { path, settings }) };
  }

  function drain(engine: WindowEngine): unknown[] {
    const outputs = [];
    for (let output = engine.next(); output; output = engine.next()) outputs.push(output);
    return outputs;
  }

  it('is restored with its watermark', async () => {
    const path = newPath();
    const first = await open(path);
    assert.equal(first.state.outcome, 'new');
    first.engine.add({ time: 150, key: 'a', value: 1 });
    await first.state.close();

    const second = await open(path);
    assert.equal(second.state.outcome, 'restored');
    assert.equal(second.engine.watermark, 150);
    second.engine.add({ time: 20, key: 'a', value: 9 });
    assert.deepEqual(drain(second.engine), [{ late: { time: 20, key: 'a', value: 9 }, reason: 'late' }]);
    second.engine.add({ time: 160, key: 'a', value: 2 });
    second.engine.end();
    assert.deepEqual(drain(second.engine), [
      {
        key: 'a',
        start: 100,
        end: 200,
        pane: 'on-time',
        index: 0,
        count: 2,
        result: { sum: 3, collect: [1, 2] },
      },
    ]);
    await second.state.close();
  });

  it('forgets keys that are gone', async () => {
    const path = newPath();
    const first = await open(path);
    first.engine.add({ time: 1, key: 'a' });
    await first.state.flush();
    first.engine.add({ time: 500, key: 'b' });
    assert.equal(drain(first.engine).length, 1);
    await first.state.close();
    const second = await open(path);
    assert.deepEqual(
      second.engine.snapshot().keys.map(([key]) => key),
      ['b'],
    );
    await second.state.close();
  });

  it('starts afresh with other settings, and again with the first ones', async () => {
    const path = newPath();
    const first = await open(path, 'these');
    first.engine.add({ time: 1 });
    await first.state.close();
    for (const [settings, outcome] of [
      ['those', 'changed'],
      ['these', 'new'],
    ] as const) {
      const next = await open(path, settings);
      // The second time nothing was lost.
      assert.equal(next.state.outcome, outcome);
      assert.equal(next.engine.fill.keys, 0);
      assert.equal(next.engine.watermark, Number.NEGATIVE_INFINITY);
      await next.state.close();
    }
  });

  it('sets a damaged file aside', async () => {
    const path = newPath();
    await (await open(path)).state.close();
    writeFileSync(path, 'this is no database, however long it is'.repeat(200));
    const next = await open(path);
    assert.equal(next.state.outcome, 'damaged');
    await next.state.close();
    assert.match(readFileSync(`${path}.damaged`, 'utf8'), /^this is no database/);
    assert.equal((await open(path).then(({ state }) => state.close().then(() => state))).outcome, 'restored');
  });

  it('says where it cannot be kept', async () => {
    writeFileSync(folder.join('a-file'), '');
    await assert.rejects(open(folder.join('a-file', 'state.db')), { code: 'ERR_STREAM_STORAGE' });
  });

  it('is removed on request', async () => {
    const path = newPath();
    await (await open(path)).state.close();
    assert(existsSync(path));
    await DurableState.remove(path);
    assert(!existsSync(path));
  });

  it('a flush holds the state of one moment, whatever happens while it is written', async () => {
    const path = newPath();
    const { engine, state } = await open(path);
    const keys = Array.from({ length: 20_000 }, (_, n) => `key ${n}`);
    for (const key of keys) engine.add({ time: 1, key, value: 'x'.repeat(50) });
    const moment = engine.snapshot();
    let flushed = false;
    const flush = state.flush().then(() => {
      flushed = true;
    });
    let changes = 0;
    while (!flushed) {
      engine.add({ time: 2 + changes, key: keys.at(-1 - (changes % keys.length))!, value: changes });
      drain(engine);
      changes += 1;
      if (changes % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await flush;
    assert(changes > 100, 'nothing happened during the flush');
    // What a crash would leave.
    const copy = newPath();
    cpSync(join(path, '..'), join(copy, '..'), { recursive: true });
    const restored = await open(copy);
    assert.equal(restored.state.outcome, 'recovered');
    const byKey = (a: [string, unknown], b: [string, unknown]) => (a[0] < b[0] ? -1 : 1);
    const found = restored.engine.snapshot();
    assert.deepEqual(found.meta, moment.meta);
    assert.deepEqual(found.keys.sort(byKey), moment.keys.sort(byKey));
    await restored.state.close();
    await state.close();
  });

  it('goes on to the byte through a file, for all types of windows', async () => {
    for (let seed = 1; seed <= 15; seed += 1) {
      const example = randomCase(seed * 31);
      const used = parseWindowSpec(example.spec);
      const whole = new WindowEngine(used);
      const path = newPath();
      let moving = await open(path, 'same', used);
      for (const [at, step] of example.steps.entries()) {
        for (const engine of [whole, moving.engine]) {
          if ('event' in step) engine.add(step.event);
          else if ('watermark' in step) engine.advanceWatermark(step.watermark);
          else engine.advanceClock(step.processingTime);
        }
        assert.equal(
          JSON.stringify(drain(moving.engine)),
          JSON.stringify(drain(whole)),
          `case ${seed * 31}, ${at}`,
        );
        if (at % 3 === 0) await moving.state.flush();
        if (at % 17 !== 5) continue;
        await moving.state.close();
        moving = await open(path, 'same', used);
      }
      await moving.state.close();
    }
  });

  it('kill -9 loses no more than what came after the last flush, and the next start says so', async () => {
    const path = newPath();
    const child = spawn(process.execPath, [join(__dirname, 'victim.js'), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let flushed = 0;
    child.stdout.setEncoding('utf8');
    // The victim says after each flush how many events were in it.
    for await (const text of child.stdout) {
      flushed = Number((text as string).trim().split('\n').at(-1));
      if (flushed > 1_000) break;
    }
    child.kill('SIGKILL');
    await once(child, 'close').catch(() => {});
    const { engine, state } = await open(path, 'victim');
    assert.equal(state.outcome, 'recovered');
    engine.end();
    const [pane] = drain(engine) as [{ count: number; result: { sum: number } }];
    assert(pane && !isLate(pane as never));
    assert(pane.count >= flushed, `${pane.count} events of ${flushed}`);
    // Event n has the value n: none in between is missing.
    assert.equal(pane.result.sum, (pane.count * (pane.count - 1)) / 2);
    await state.close();
  });
});
