import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isFrozen } from '../../../lib/container/runtime/freezer';
import { CriuCheckpointer } from '../../../lib/migration/checkpoint';
import { ContainerFixture, mountsBelow } from '../fixture';
import { describeWithCriu, recordFor } from './support';

const COUNT = 'n=0; while :; do n=$((n+1)); echo "count $n"; sleep 0.02; done';

describeWithCriu('container: moves that fail', () => {
  const path = process.env.PATH;
  let fixture: ContainerFixture;
  let programs: string;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
    programs = await mkdtemp(join(tmpdir(), 'garua-programs-'));
    await fixture.deploy({ command: ['sh', '-c', COUNT] });
  });
  afterEach(async () => {
    process.env.PATH = path;
    await fixture?.destroy();
    await rm(programs, { recursive: true, force: true });
  });

  /** Puts a program named criu in front of the real one. */
  async function pretend(script: string): Promise<void> {
    await writeFile(join(programs, 'criu'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env.PATH = `${programs}:${path}`;
  }

  async function lines(): Promise<string[]> {
    const texts: string[] = [];
    for await (const { text } of fixture.engine.logs('box')) texts.push(text);
    return texts;
  }

  async function goesOn(): Promise<void> {
    const before = (await lines()).length;
    const deadline = Date.now() + 30_000;
    while ((await lines()).length <= before) {
      assert.ok(Date.now() < deadline, 'it does not go on');
      await delay(50);
    }
    const texts = await lines();
    assert.deepEqual(
      texts,
      texts.map((_, index) => `count ${index + 1}`),
    );
  }

  it('a CRIU that hangs is ended, and the container goes on', async () => {
    await pretend('sleep 1000');
    const departure = await fixture.engine.moves.depart('box', 'checkpoint');
    const images = await departure.imagesFolder();
    await assert.rejects(departure.dump(images, { timeoutMs: 1_000 }), {
      code: 'ERR_CHECKPOINT_TIMEOUT',
      message: /box did not end within 1000 ms/,
    });
    await goesOn();
    assert.equal((await departure.resume()).state, 'running');
    assert.ok(!(await readdir('/dev/shm')).includes(`garua-${departure.id}`));
  });

  it('a CRIU that fails is quoted, and the container goes on', async () => {
    await pretend('exit 1');
    const departure = await fixture.engine.moves.depart('box', 'checkpoint');
    await assert.rejects(departure.dump(join(fixture.path, 'images')), { code: 'ERR_CHECKPOINT_FAILED' });
    await goesOn();
    await departure.resume();
  });

  it('without CRIU it says so before anything stands still', async () => {
    const onlyRunc = join(programs, 'bin');
    await mkdir(onlyRunc);
    process.env.PATH = onlyRunc;
    const departure = await fixture.engine.moves.depart('box', 'checkpoint');
    const checkpointer = new CriuCheckpointer();
    assert.match((await checkpointer.check(departure)).join(), /CRIU is not installed/);
    await assert.rejects(checkpointer.checkpoint(departure, join(fixture.path, 'images')), {
      code: 'ERR_CHECKPOINT_UNSUPPORTED',
      message: /CRIU is not installed/,
    });
    process.env.PATH = path;
    await departure.resume();
    await goesOn();
  });

  it('a cancelled dump leaves it running', async () => {
    await pretend('sleep 1000');
    const departure = await fixture.engine.moves.depart('box', 'checkpoint');
    const signal = AbortSignal.timeout(500);
    await assert.rejects(departure.dump(join(fixture.path, 'images'), { signal }), { code: 'ERR_ABORTED' });
    await departure.resume();
    await goesOn();
  });

  it('a restore of images that are not whole says what is wrong and leaves nothing behind', async () => {
    const departure = await fixture.engine.moves.depart('box', 'checkpoint');
    const there = await ContainerFixture.create();
    try {
      const record = await recordFor(there, departure.record);
      const arrival = await there.engine.moves.arrive({ purpose: 'checkpoint', record });
      await departure.dump(arrival.images);
      await departure.resume();
      const [pages] = (await readdir(arrival.images)).filter((file) => file.startsWith('pages-'));
      await rm(join(arrival.images, pages!));
      await assert.rejects(arrival.restore(), {
        code: 'ERR_RESTORE_FAILED',
        message: /box could not be restored: \S/,
      });
      await arrival.abort();
      assert.deepEqual(await there.engine.list(), []);
      assert.deepEqual(await mountsBelow(there.path), []);
      assert.ok(!(await readdir('/run/garua/namespaces')).includes(arrival.id));
    } finally {
      await there.destroy();
    }
    await goesOn();
  });

  it('a restore that hangs is ended with all that it has started', async () => {
    const departure = await fixture.engine.moves.depart('box', 'checkpoint');
    const there = await ContainerFixture.create();
    try {
      const record = await recordFor(there, departure.record);
      const arrival = await there.engine.moves.arrive({ purpose: 'checkpoint', record });
      await departure.dump(arrival.images);
      await departure.resume();
      await pretend(`touch ${programs}/began; sleep 1717`);
      await assert.rejects(arrival.restore({ timeoutMs: 5_000 }), { code: 'ERR_CHECKPOINT_TIMEOUT' });
      await readFile(join(programs, 'began'));
      await arrival.abort();
      assert.deepEqual(await commandsWith('1717'), []);
    } finally {
      await there.destroy();
    }
  });

  it('nobody else touches what moves, and exactly what moves', async () => {
    const { moves } = fixture.engine;
    const departure = await moves.depart('box', 'checkpoint');
    for (const attempt of [
      () => moves.depart('box', 'checkpoint'),
      () => fixture.engine.stop('box'),
      () => fixture.engine.remove('box', { force: true }),
      () => fixture.deploy({ command: ['true'] }),
      () => fixture.engine.execPlan('box', ['true']),
    ]) {
      await assert.rejects(async () => attempt(), {
        code: 'ERR_CONTAINER_MOVING',
        message: /box is leaving/,
      });
    }
    await departure.freeze();
    assert.ok(await isFrozen(departure.id));
    await departure.resume();
    await goesOn();
    await assert.rejects(moves.depart('nobody', 'checkpoint'), { code: 'ERR_CONTAINER_NOT_FOUND' });
    await fixture.engine.stop('box', { graceMs: 0 });
    await assert.rejects(moves.depart('box', 'checkpoint'), { code: 'ERR_CONTAINER_NOT_RUNNING' });
  });
});

/** Programs that run with this word. */
async function commandsWith(word: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).filter((line) => line.split('\0').includes(word));
}
