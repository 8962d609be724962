import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { afterEnd, pauseAfter, returnsAfterBoot } from '../../lib/container/restart/policy';
import { Restarter } from '../../lib/container/restart/restarter';
import { type ContainerRow, ContainerTable } from '../../lib/container/table';
import { ContainerFixture, eventually, mountsBelow } from './fixture';

const DIES = ['sh', '-c', 'echo run; exit 3'];
/** Runs until it finds the file /tmp/end. */
const LIVES = ['sh', '-c', 'while ! test -e /tmp/end; do sleep 0.02; done; rm /tmp/end; exit 5'];

describe('container: restart policies', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
    await fixture.reopen();
  });
  afterEach(() => fixture.destroy());

  const always = { policy: 'always' } as const;

  /** Lets a container of LIVES end by itself. */
  async function end(): Promise<void> {
    const [id] = await readdir(fixture.directory.join('containers'));
    await writeFile(fixture.directory.join('containers', id!, 'root/tmp/end'), '');
  }

  /** As `end`, when it has been restarted so often in a row that the pause is `2 ** attempts` seconds. */
  async function endAgain(attempts: number): Promise<void> {
    fixture.database.prepare('UPDATE containers SET attempts = ?').run(attempts);
    await end();
  }

  it('starts it again after a pause that is told, and counts', async () => {
    await fixture.deploy({ command: LIVES, restart: always });
    await end();
    const waiting = await fixture.until(({ state }) => state === 'restarting');
    assert.deepEqual(
      [waiting.exitCode, waiting.reason, waiting.restarts, waiting.pid],
      [5, 'exited', 0, null],
    );
    const again = await fixture.until(({ state }) => state === 'running');
    assert.deepEqual([again.restarts, again.reason, again.exitCode], [1, null, null]);
    const pause = Date.parse(again.startedAt!) - Date.parse(waiting.finishedAt!);
    assert.ok(pause >= 990, `${pause} ms`);
    assert.equal((await mountsBelow(fixture.path)).length, 1);
  });

  it('begins to act when somebody who stays asks the owner for it', async () => {
    await fixture.close();
    fixture.supervise = false;
    await fixture.open();
    await fixture.deploy({ command: DIES, restart: always });
    await fixture.until(({ state }) => state === 'restarting');
    fixture.engine.supervise();
    await fixture.until(({ restarts }) => restarts > 0);
  });

  it('lets what ended well rest under on-failure', async () => {
    await fixture.deploy({ command: ['true'], restart: { policy: 'on-failure' } });
    const { state, restarts } = await fixture.engine.wait('box');
    assert.deepEqual([state, restarts], ['stopped', 0]);
  });

  for (const policy of ['always', 'unless-stopped'] as const) {
    it(`starts again also what ended well under ${policy}`, async () => {
      await fixture.deploy({ command: ['true'], restart: { policy } });
      await fixture.until(({ restarts }) => restarts === 1);
    });
  }

  it('stops in the middle of the pause, and does not come back', async () => {
    await fixture.deploy({ command: LIVES, restart: always });
    await endAgain(1);
    await fixture.until(({ state }) => state === 'restarting');
    const { state, restarts } = await fixture.engine.stop('box');
    assert.deepEqual([state, restarts], ['stopped', 0]);
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    assert.equal((await fixture.engine.get('box')).state, 'stopped');
  });

  it('is removed in the middle of the pause', async () => {
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { state } of fixture.engine.watch())
        if (seen.push(state) && state === 'removed') return;
    })();
    await fixture.deploy({ command: LIVES, restart: always });
    await endAgain(6);
    await fixture.until(({ state }) => state === 'restarting');
    await fixture.engine.remove('box');
    await watching;
    assert.deepEqual(seen, ['running', 'restarting', 'removed']);
    assert.deepEqual(await readdir(fixture.directory.join('containers')), []);
    assert.deepEqual(await mountsBelow(fixture.path), []);
  });

  it('starts at once when the user says so in the middle of the pause', async () => {
    await fixture.deploy({ command: LIVES, restart: always });
    await endAgain(6);
    await fixture.until(({ state }) => state === 'restarting');
    const { state, restarts } = await fixture.engine.start('box');
    assert.deepEqual([state, restarts], ['running', 0]);
  });

  it('waits while nobody supervises, and goes on under the next who does', async () => {
    await fixture.close();
    fixture.supervise = false;
    await fixture.open();
    await fixture.deploy({ command: LIVES, restart: always });
    await end();
    assert.equal((await fixture.engine.wait('box')).state, 'restarting');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.equal((await fixture.engine.get('box')).state, 'restarting');
    await fixture.reopen();
    await fixture.until(({ state, restarts }) => state === 'running' && restarts === 1);
  });

  it('doubles the pause from 1 s to 5 min, and begins anew after 10 s of running', () => {
    const pauses = Array.from({ length: 12 }, (_, attempts) => pauseAfter(attempts) / 1_000);
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    const ran = (milliseconds: number) =>
      afterEnd(
        row({ attempts: 6, startedAt: 1_000, finishedAt: 1_000 + milliseconds, exitCode: 1 }),
        {},
        20_000,
      );
    assert.deepEqual([ran(9_999).restartAt, ran(9_999).attempts], [84_000, 7]);
    assert.deepEqual([ran(10_000).restartAt, ran(10_000).attempts], [21_000, 1]);
  });

  it('does not wait for years when the clock is set back', async () => {
    const table = new ContainerTable(fixture.database);
    const waits = row({ state: 'restarting', attempts: 0, restartAt: Date.now() + 1e12 });
    table.put(waits);
    let started = 0;
    const changes = { listen: () => () => {} };
    const restarter = new Restarter(table, changes as never, async () => {
      started += 1;
    });
    restarter.start();
    await eventually(async () => started === 1);
    restarter.stop();
    table.delete(waits.id);
  });

  it('knows who comes back after a reboot by the policy alone', () => {
    const back = (policy: string, wanted: string, state: string) =>
      returnsAfterBoot(row({ care: { restart: { policy } }, wanted, state } as Partial<ContainerRow>));
    assert.equal(back('always', 'stopped', 'stopped'), true);
    assert.equal(back('unless-stopped', 'stopped', 'stopped'), false);
    assert.equal(back('unless-stopped', 'running', 'failed'), true);
    assert.equal(back('on-failure', 'running', 'failed'), false);
    assert.equal(back('no', 'running', 'failed'), false);
  });

  function row(changed: Partial<ContainerRow>): ContainerRow {
    return {
      ...{
        id: 'id',
        name: 'row',
        image: 'i',
        imageDigest: 'd',
        specDigest: 's',
        stopSignal: 'SIGTERM',
        ports: [],
      },
      ...{ wanted: 'running', state: 'running', process: null, exitCode: null, reason: 'exited' },
      ...{ startedAt: null, finishedAt: null, care: { restart: always }, restarts: 0, attempts: 0 },
      ...{ restartAt: null, address: null, rolledBack: null, writtenIn: null },
      ...changed,
    } as ContainerRow;
  }
});
