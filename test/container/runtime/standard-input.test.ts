import assert from 'node:assert/strict';
import { ContainerFixture, eventually } from '../fixture';
import { copyFiles, describeWithCriu, recordFor } from '../move/support';

/** Answers each line with its number; only its memory knows how many there were. */
const COUNT = 'n=0; while read -r line; do n=$((n+1)); echo "$n $line"; done; echo ended';

describeWithCriu('container: standard input', () => {
  let here: ContainerFixture;
  let there: ContainerFixture;
  before(async () => {
    here = await ContainerFixture.create();
    there = await ContainerFixture.create();
  });
  after(async () => {
    await here?.destroy();
    await there?.destroy();
  });

  async function lines(fixture: ContainerFixture, count: number): Promise<string[]> {
    const texts: string[] = [];
    await eventually(async () => {
      texts.length = 0;
      for await (const { text } of fixture.engine.logs('box')) texts.push(text);
      return texts.length >= count;
    });
    return texts;
  }

  it('takes what is written to it, and goes on where it was after a move', async () => {
    await here.deploy({ command: ['sh', '-c', COUNT], stdin: true });
    const input = await here.engine.input('box');
    await input.write('a\nb\n');
    assert.deepEqual(await lines(here, 2), ['1 a', '2 b']);
    await eventually(async () => input.unread() === 0);
    input.close();

    const departure = await here.engine.moves.depart('box', 'migration');
    const record = await recordFor(there, departure.record);
    const arrival = await there.engine.moves.arrive({ purpose: 'migration', record, address: null });
    await departure.dump(arrival.images);
    await copyFiles(departure, arrival);
    departure.offer();
    await arrival.restore();
    arrival.accept();
    await departure.release();
    await arrival.commit();

    const moved = await there.engine.input('box');
    await moved.write('c\n');
    assert.deepEqual(await lines(there, 3), ['1 a', '2 b', '3 c']);
    moved.close();
    await there.engine.remove('box', { force: true, graceMs: 0 });
  });

  it('holds a writer up whose program does not read, and tells it of the end', async () => {
    await here.deploy({ name: 'slow', command: ['sh', '-c', 'sleep 60'], stdin: true });
    const input = await here.engine.input('slow');
    let taken = false;
    const writing = input.write('x'.repeat(1 << 20)).then(
      () => {
        taken = true;
      },
      () => {},
    );
    await eventually(async () => input.unread() >= 64 << 10);
    assert.equal(taken, false);
    await here.engine.stop('slow', { graceMs: 0 });
    await writing;
    assert.equal(taken, false);
    assert.ok(input.ended.aborted);
    await assert.rejects(here.engine.input('slow'), { code: 'ERR_CONTAINER_NOT_RUNNING' });
    await here.deploy({ name: 'deaf', command: ['sleep', '60'] });
    await assert.rejects(here.engine.input('deaf'), { code: 'ERR_CONTAINER_NO_INPUT' });
    await here.engine.remove('deaf', { force: true, graceMs: 0 });
  });
});
