import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { ContainerFixture, mountsBelow } from '../container/fixture';
import { SmallDisk } from './tools';

const LIVES = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.02; done'];

describe('container: a disk', () => {
  it('may be filled by a container: the index and its neighbours live on', async () => {
    const disk = new SmallDisk('40m');
    const small = await ContainerFixture.create('data', disk.path);
    try {
      await small.reopen();
      const { container: neighbour } = await small.deploy({ name: 'neighbour', command: LIVES });
      // Not before its deploy has come to its end, which needs room as well.
      const { status, stderr } = await small.run(
        'sleep 3; dd if=/dev/zero of=/big bs=65536 2>&1 || { echo "it is full" >&2; exit 9; }',
      );
      assert.equal(status.state, 'failed');
      assert.match(status.reason!, /^exited$|full disk/);
      assert.ok(stderr.length <= 1);
      assert.equal((await small.engine.get('neighbour')).pid, neighbour.pid);
      await assert.rejects(small.deploy({ name: 'third', command: LIVES }), { code: 'ERR_DISK_FULL' });
      await small.reopen();
      assert.equal((await small.engine.get('neighbour')).pid, neighbour.pid);
      await small.engine.stop('neighbour', { graceMs: 0 });
      await small.engine.remove('box');
      assert.equal((await small.engine.start('neighbour')).state, 'running');
      assert.equal((await small.deploy({ name: 'third', command: LIVES })).container.state, 'running');
    } finally {
      await small.destroy();
      disk.remove();
    }
  });

  it('may be full at each step of deploy, replacement, start, stop and removal', async () => {
    const disk = new SmallDisk('24m');
    const small = await ContainerFixture.create('data', disk.path);
    const outcomes: string[] = [];
    try {
      await small.reopen();
      for (const pages of [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 40]) {
        const { container: old } = await small.deploy({ command: LIVES });
        const steps: [string, () => Promise<unknown>][] = [
          ['deploy', () => small.deploy({ name: 'other', command: LIVES })],
          ['replace', () => small.deploy({ command: LIVES, env: { PAGES: `${pages}` } })],
          ['stop', () => small.engine.stop('box', { graceMs: 0 })],
          ['start', () => small.engine.start('box')],
          ['remove', () => small.engine.remove('box', { force: true, graceMs: 0 })],
        ];
        for (const [name, step] of steps) {
          disk.fill(pages);
          const failed = await step().then(
            () => undefined,
            (error) => error,
          );
          disk.free();
          outcomes.push(`${name} ${failed ? 'fails' : 'works'}`);
          if (failed) assert.equal(failed.code, 'ERR_DISK_FULL', `${name}, ${pages}: ${failed.stack}`);
          if (name === 'replace') {
            const now = await small.engine.get('box');
            assert.equal(now.state, 'running', `${name}, ${pages}: ${now.reason}`);
            assert.equal(now.specDigest === old.specDigest, failed !== undefined, `${name}, ${pages}`);
          }
          await small.reopen();
          const known = (await small.engine.list()).length;
          assert.equal(
            (await readdir(small.directory.join('containers'))).length,
            known,
            `${name}, ${pages}`,
          );
          const running = (await small.engine.list()).filter(({ state }) => state === 'running').length;
          assert.equal((await mountsBelow(small.directory.path)).length, running, `${name}, ${pages}`);
        }
        for (const { name } of await small.engine.list())
          await small.engine.remove(name, { force: true, graceMs: 0 });
        assert.deepEqual(await readdir(small.directory.join('containers')), []);
      }
      for (const name of ['deploy', 'replace', 'start']) {
        assert.ok(
          outcomes.includes(`${name} fails`) && outcomes.includes(`${name} works`),
          `${name}: ${outcomes}`,
        );
      }
      assert.ok(!outcomes.includes('remove fails') && !outcomes.includes('stop fails'), `${outcomes}`);
    } finally {
      await small.destroy();
      disk.remove();
    }
  });
});
