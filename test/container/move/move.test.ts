import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ContainerFixture } from '../fixture';
import { copyFiles, describeWithCriu, recordFor } from './support';

const COUNT = 'n=0; while :; do n=$((n+1)); echo "count $n"; echo $n > /count; sleep 0.02; done';

describeWithCriu('container: moving', () => {
  let here: ContainerFixture;
  let there: ContainerFixture;
  beforeEach(async () => {
    here = await ContainerFixture.create();
    there = await ContainerFixture.create();
  });
  afterEach(async () => {
    await here?.destroy();
    await there?.destroy();
  });

  async function lines(fixture: ContainerFixture): Promise<string[]> {
    const texts: string[] = [];
    for await (const { text } of fixture.engine.logs('box')) texts.push(text);
    return texts;
  }

  async function untilLines(fixture: ContainerFixture, count: number): Promise<string[]> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const texts = await lines(fixture);
      if (texts.length >= count) return texts;
      assert.ok(Date.now() < deadline, `it wrote only ${texts.length} lines`);
      await delay(50);
    }
  }

  /** `beforeDump` is called when all is ready. */
  async function move(beforeDump?: () => Promise<void>): Promise<void> {
    const departure = await here.engine.moves.depart('box', 'migration');
    const { address } = departure;
    const record = await recordFor(there, departure.record);
    const arrival = await there.engine.moves.arrive({ purpose: 'migration', record, address });
    await beforeDump?.();
    const { frozenMs, dumpMs } = await departure.dump(arrival.images);
    assert.ok(frozenMs >= dumpMs && dumpMs > 0);
    await copyFiles(departure, arrival);
    departure.offer();
    await arrival.restore();
    await arrival.probe();
    arrival.accept();
    await departure.release();
    assert.equal((await arrival.commit()).state, 'running');
    assert.deepEqual(await here.engine.list(), []);
    const texts = await untilLines(there, (await lines(there)).length + 5);
    assert.deepEqual(
      texts,
      texts.map((_, index) => `count ${index + 1}`),
    );
  }

  it('goes on in another data directory where it was, and its log with it', async () => {
    await here.deploy({ command: ['sh', '-c', COUNT] });
    await untilLines(here, 5);
    await move();
  });

  it('brings no line twice that its monitor has not taken yet', async () => {
    await here.deploy({ command: ['sh', '-c', COUNT] });
    await untilLines(here, 5);
    const [{ id }] = here.database.prepare('SELECT id FROM containers').all() as [{ id: string }];
    const monitor = Number(await readFile(here.directory.join('containers', id, 'conmon.pid'), 'utf8'));
    await move(async () => {
      process.kill(monitor, 'SIGSTOP');
      await delay(200);
      setTimeout(() => process.kill(monitor, 'SIGCONT'), 300);
    });
  });

  it('comes back as it was when the move is given up', async () => {
    await here.deploy({ command: ['sh', '-c', COUNT] });
    const seen = (await untilLines(here, 5)).length;
    const departure = await here.engine.moves.depart('box', 'migration');
    const arrival = await there.engine.moves.arrive({
      purpose: 'migration',
      record: await recordFor(there, departure.record),
    });
    await departure.dump(arrival.images);
    await arrival.abort();
    assert.equal((await departure.resume()).state, 'running');
    const texts = await untilLines(here, seen + 10);
    assert.deepEqual(
      texts,
      texts.map((_, index) => `count ${index + 1}`),
    );
    assert.deepEqual(await there.engine.list(), []);
  });

  it('starts anew from its files where no checkpoint is wanted', async () => {
    const script = 'echo "found $(cat /count 2>/dev/null)"; echo 7 > /count; while :; do sleep 0.1; done';
    await here.deploy({ command: ['sh', '-c', script] });
    await untilLines(here, 1);
    const departure = await here.engine.moves.depart('box', 'migration');
    const arrival = await there.engine.moves.arrive({
      purpose: 'migration',
      record: await recordFor(there, departure.record),
    });
    await departure.stop({ graceMs: 0 });
    await copyFiles(departure, arrival);
    await arrival.startFresh();
    await arrival.probe();
    await departure.release();
    await arrival.commit();
    assert.deepEqual(await untilLines(there, 2), ['found ', 'found 7']);
  });

  it('runs here again when it was stopped for a move that is given up', async () => {
    await here.deploy({ command: ['sh', '-c', COUNT] });
    await untilLines(here, 5);
    const departure = await here.engine.moves.depart('box', 'migration');
    await departure.stop({ graceMs: 0 });
    assert.equal((await departure.resume()).state, 'running');
    assert.equal((await here.engine.get('box')).state, 'running');
  });
});
