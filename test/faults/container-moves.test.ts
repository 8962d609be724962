import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { isFrozen, processesOf } from '../../lib/container/runtime/freezer';
import { ContainerFixture, mountsBelow } from '../container/fixture';
import { describeWithCriu, recordFor } from '../container/move/support';

const COUNT = 'n=0; while :; do n=$((n+1)); echo "count $n"; sleep 0.02; done';
const LIMIT_MS = 30_000;

describeWithCriu('container: the end of its owner in the middle of a move', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
    await fixture.deploy({ command: ['sh', '-c', COUNT] });
    await fixture.close();
  });
  afterEach(() => fixture?.destroy());

  /** Another process that lets the container depart. */
  async function leaving(
    how: 'dump' | 'offer',
  ): Promise<{ child: ChildProcess; id: string; dumped: Promise<unknown> }> {
    const words = [fixture.directory.path, how, join(fixture.path, 'images')];
    const child = spawn(process.execPath, [join(__dirname, 'children/leaving.js'), ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
    const { value: id } = await lines.next();
    return { child, id, dumped: lines.next() };
  }

  async function kill(child: ChildProcess): Promise<void> {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
    const deadline = Date.now() + LIMIT_MS;
    while (!(await condition())) {
      assert.ok(Date.now() < deadline, what);
      await delay(5);
    }
  }

  async function lines(): Promise<string[]> {
    const texts: string[] = [];
    for await (const { text } of fixture.engine.logs('box')) texts.push(text);
    return texts;
  }

  async function goesOn(): Promise<void> {
    const before = (await lines()).length;
    await until(async () => (await lines()).length > before, 'it does not go on');
    const texts = await lines();
    assert.deepEqual(
      texts,
      texts.map((_, index) => `count ${index + 1}`),
    );
  }

  it('in a dump: the next owner waits for its end, then lets the container go on', async () => {
    const { child, id } = await leaving('dump');
    let criu = 0;
    await until(async () => {
      criu = await criuOf(id);
      return criu > 0;
    }, 'no CRIU came');
    // Held in the middle, so that the next owner comes while it is there.
    process.kill(criu, 'SIGSTOP');
    try {
      await kill(child);
      await fixture.open();
      const before = await lines();
      await delay(500);
      assert.deepEqual(await lines(), before, 'it goes on under the hands of CRIU');
    } finally {
      process.kill(criu, 'SIGCONT');
    }
    await goesOn();
    assert.equal(await fixture.engine.stop('box', { graceMs: 0 }).then(({ state }) => state), 'stopped');
  });

  it('in a dump that hangs half done: it is ended at its limit, and the container goes on', async () => {
    await fixture.open();
    const departure = await fixture.engine.moves.depart('box', 'checkpoint');
    const dump = departure.dump(join(fixture.path, 'images'), { timeoutMs: 3_000 });
    const failed = assert.rejects(dump, { code: 'ERR_CHECKPOINT_TIMEOUT' });
    let criu = 0;
    await until(async () => {
      criu = await criuOf(departure.id);
      return criu > 0;
    }, 'no CRIU came');
    process.kill(criu, 'SIGSTOP');
    await failed;
    await departure.resume();
    await goesOn();
  });

  it('after a dump: the next owner lets the container go on', async () => {
    const { child, id, dumped } = await leaving('dump');
    await dumped;
    await kill(child);
    assert.ok(await isFrozen(id));
    await fixture.open();
    await goesOn();
  });

  it('after the offer: it stays frozen until those who move it have decided', async () => {
    for (const decision of ['resume', 'release'] as const) {
      const { child, id, dumped } = await leaving('offer');
      await dumped;
      await kill(child);
      await fixture.open();
      await delay(300);
      assert.ok(await isFrozen(id));
      await assert.rejects(fixture.engine.stop('box'), { code: 'ERR_CONTAINER_MOVING' });
      const departure = await fixture.engine.moves.departure(id);
      assert.equal(departure?.name, 'box');
      assert.equal(await fixture.engine.moves.departure('another'), undefined);
      await departure![decision]();
      if (decision === 'resume') {
        await goesOn();
        await fixture.close();
      }
    }
    assert.deepEqual(await fixture.engine.list(), []);
    assert.deepEqual(await mountsBelow(fixture.path), []);
  });

  it('before the end of an arrival: nothing of it stays', async () => {
    await fixture.open();
    const departure = await fixture.engine.moves.depart('box', 'migration');
    const there = await ContainerFixture.create();
    try {
      const record = await recordFor(there, departure.record);
      const spec = {
        ...record.spec,
        mounts: [{ type: 'volume', source: 'state', target: '/state', readOnly: false }],
      };
      const arrival = await there.engine.moves.arrive({
        purpose: 'migration',
        record: { ...record, spec: spec as typeof record.spec },
      });
      await departure.dump(arrival.images);
      await departure.resume();
      // As a kill would leave it: nobody says goodbye.
      await there.reopen();
      assert.deepEqual(await there.engine.list(), []);
      assert.deepEqual(await there.engine.volumes(), []);
      assert.deepEqual(await mountsBelow(there.path), []);
      assert.deepEqual(await processesOf(arrival.id), []);
      assert.ok(!(await readdir('/dev/shm')).includes(`garua-${arrival.id}`));
    } finally {
      await there.destroy();
    }
  });
});

/** The CRIU that holds the container's first process; 0 as long as there is none. */
async function criuOf(id: string): Promise<number> {
  const [first] = await processesOf(id);
  const status = await readFile(`/proc/${first}/status`, 'utf8').catch(() => '');
  return Number(/^TracerPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
}
