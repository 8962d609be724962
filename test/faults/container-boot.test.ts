import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerSpec } from '../../lib/container';
import { ContainerPaths } from '../../lib/container/paths';
import { ContainerFixture, mountsBelow } from '../container/fixture';

const LIVES = ['sh', '-c', 'while :; do sleep 0.05; done'];

describe('container: after a reboot', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
    await fixture.reopen();
  });
  afterEach(() => fixture.destroy());

  const deploy = (name: string, restart: ContainerSpec['restart'], more: Partial<ContainerSpec> = {}) =>
    fixture.deploy({ name, command: LIVES, ...(restart ? { restart } : {}), ...more });

  /** Leaves what a power cut leaves: files, and an index that knows another boot. */
  async function reboot(): Promise<void> {
    fixture.supervise = false;
    fixture.database
      .prepare(
        "UPDATE containers SET writtenIn = 'an earlier boot', bootId = iif(pid IS NULL, NULL, 'an earlier boot')",
      )
      .run();
    const rows = fixture.database.prepare('SELECT * FROM containers').all() as { id: string }[];
    await fixture.close();
    const runc = new ContainerPaths(fixture.directory).runtime;
    const present = await readdir(runc).catch((): string[] => []);
    for (const { id } of rows) {
      if (present.includes(id)) execFileSync('runc', ['--root', runc, 'delete', '--force', id]);
    }
    for (const mount of await mountsBelow(fixture.directory.join('containers'))) {
      execFileSync('umount', ['--lazy', mount]);
    }
    // What conmon wrote when its container was killed: a power cut leaves no such file.
    const exits = fixture.directory.join('container-exits');
    for (const id of await readdir(exits)) await rename(join(exits, id), join(fixture.path, `exit-${id}`));
    fixture.supervise = true;
  }

  it('starts again by policy, and leaves alone what the user had stopped', async () => {
    await deploy('always', { policy: 'always' });
    await deploy('unless', { policy: 'unless-stopped' });
    await deploy('failure', { policy: 'on-failure' });
    await deploy('none', undefined);
    await deploy('always-stopped', { policy: 'always' });
    await deploy('unless-stopped', { policy: 'unless-stopped' });
    for (const name of ['always-stopped', 'unless-stopped']) await fixture.engine.stop(name, { graceMs: 0 });
    await reboot();
    await fixture.open();
    for (const name of ['always', 'unless', 'failure', 'always-stopped']) {
      const { restarts, reason } = await fixture.until(({ state }) => state === 'running', name);
      assert.deepEqual([restarts, reason], [1, null], name);
    }
    const none = await fixture.engine.get('none');
    assert.deepEqual([none.state, none.reason], ['failed', 'the host was restarted']);
    const stopped = await fixture.engine.get('unless-stopped');
    assert.deepEqual([stopped.state, stopped.restarts], ['stopped', 0]);
    assert.equal((await mountsBelow(fixture.path)).length, 4);
  });

  it('starts nothing for a command that does not stay, and all for the next that does', async () => {
    await deploy('box', { policy: 'always' });
    await reboot();
    fixture.supervise = false;
    await fixture.open();
    const { state, reason } = await fixture.engine.get('box');
    assert.deepEqual([state, reason], ['restarting', 'the host was restarted']);
    await fixture.reopen();
    await fixture.until((status) => status.state === 'running');
  });

  it('tries again until the network disk is there', async () => {
    const nas = join(fixture.path, 'nas');
    await mkdir(nas);
    await deploy('box', { policy: 'unless-stopped' }, { mounts: [{ source: nas, target: '/nas' }] });
    await rename(nas, `${nas}-away`);
    await reboot();
    await fixture.open();
    const late = await fixture.until(({ reason }) => /could not start: mounts/.test(reason ?? ''));
    assert.equal(late.state, 'restarting');
    await rename(`${nas}-away`, nas);
    await fixture.until(({ state }) => state === 'running');
  });
});
