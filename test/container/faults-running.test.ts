import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ContainerPaths } from '../../lib/container/paths';
import { ContainerFixture, eventually, mountsBelow } from './fixture';

const LIVES = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.02; done'];
const MiB = 2 ** 20;
/** Fills memory: tail keeps the whole of what has no end of line. */
const EATER = 'tail /dev/zero';

describe('container: what goes wrong while it runs', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
    await fixture.reopen();
  });
  afterEach(() => fixture.destroy());

  it('eats its memory', async () => {
    const { status } = await fixture.run(`exec ${EATER}`, { memory: 64 * MiB });
    assert.deepEqual(
      [status.state, status.exitCode, status.reason],
      ['failed', 137, 'out of memory (limit 64 MiB)'],
    );
  });

  it('loses a child that eats its memory, and ends for that', async () => {
    const { status } = await fixture.run(`${EATER} || exit 1`, { memory: 32 * MiB });
    assert.deepEqual([status.exitCode, status.reason], [1, 'out of memory (limit 32 MiB)']);
  });

  it('lost a child to that, and is stopped later', async () => {
    const command = ['sh', '-c', `trap "exit 3" TERM; ${EATER}; echo on; while :; do sleep 0.02; done`];
    await fixture.deploy({ command, memory: 32 * MiB });
    for await (const { text } of fixture.engine.logs('box', { follow: true })) if (text === 'on') break;
    const { exitCode, reason } = await fixture.engine.stop('box');
    assert.deepEqual([exitCode, reason], [3, 'exited']);
  });

  it('is killed by a signal, which is named', async () => {
    for (const name of ['SEGV', 'KILL', 'ABRT']) {
      // The shell is not the first process, which no signal of its own container kills.
      const { status } = await fixture.run(`sh -c 'kill -${name} $$'; exit $?`, { name: name.toLowerCase() });
      assert.equal(status.reason, `killed by SIG${name}`);
    }
  });

  it('ends at once', async () => {
    const { status } = await fixture.run('exit 7');
    assert.deepEqual([status.state, status.exitCode, status.reason], ['failed', 7, 'exited']);
  });

  it('ignores SIGTERM and leaves orphans: all its processes go with it', async () => {
    const script =
      'trap "" TERM; for i in 1 2 3; do (sleep 1000 & sleep 1000 &) ; done; echo ready; while :; do sleep 0.02; done';
    await fixture.deploy({ command: ['sh', '-c', script] });
    for await (const { text } of fixture.engine.logs('box', { follow: true })) if (text === 'ready') break;
    const [id] = await readdir(fixture.directory.join('containers'));
    const before = members(id!);
    assert.ok(before.length >= 7, `${before}`);
    await fixture.engine.stop('box', { graceMs: 100 });
    await eventually(async () => before.every((pid) => !existsSync(`/proc/${pid}`)));
    assert.deepEqual(members(id!), []);
    assert.deepEqual(cgroupsOf(id!), []);
  });

  it('loses its monitor, and is still stopped, started and removed', async () => {
    await fixture.deploy({ command: LIVES, restart: { policy: 'always' } });
    const [id] = await readdir(fixture.directory.join('containers'));
    const monitor = await readFile(fixture.directory.join('containers', id!, 'conmon.pid'), 'utf8');
    process.kill(Number(monitor), 'SIGKILL');
    const { state, reason } = await fixture.engine.stop('box');
    assert.deepEqual([state, reason], ['stopped', 'ended while its monitor was gone']);
    assert.equal((await fixture.engine.start('box')).state, 'running');
    await fixture.engine.remove('box', { force: true });
    assert.deepEqual(cgroupsOf(id!), []);
    assert.deepEqual(await mountsBelow(fixture.path), []);
  });

  for (const call of ['create', 'start']) {
    it(`has a runc that is killed in the middle of ${call}`, async () => {
      const path = process.env.PATH;
      const tools = join(fixture.path, 'tools');
      await mkdir(tools);
      // Kills itself, its group and what it started, half a moment into the call, once.
      const script = `#!/bin/sh
export PATH='${path}'
case " $* " in *" ${call} "*) if mkdir ${tools}/once 2>/dev/null; then runc "$@" & sleep 0.02; kill -9 $!; kill -9 $$; fi;; esac
exec runc "$@"
`;
      await writeFile(join(tools, 'runc'), script);
      await chmod(join(tools, 'runc'), 0o755);
      const restart = { policy: 'no' } as const;
      process.env.PATH = `${tools}:${path}`;
      try {
        await assert.rejects(
          fixture.deploy({ command: LIVES, restart }),
          (error: Error & { hint?: string }) => {
            assert.match(error.message, /box/);
            assert.ok(error.hint);
            return true;
          },
        );
      } finally {
        process.env.PATH = path;
      }
      assert.deepEqual(await fixture.engine.list(), []);
      await fixture.reopen();
      assert.deepEqual(await readdir(fixture.directory.join('containers')), []);
      assert.deepEqual(await mountsBelow(fixture.path), []);
      assert.deepEqual(await readdir(new ContainerPaths(fixture.directory).runtime), []);
      assert.equal((await fixture.deploy({ command: LIVES, restart })).container.state, 'running');
    });
  }

  /** Processes in a container's cgroup, as the host sees them. */
  function members(id: string): string[] {
    const [folder] = cgroupsOf(id);
    return folder ? readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean) : [];
  }

  function cgroupsOf(id: string): string[] {
    const root = '/sys/fs/cgroup';
    const hierarchies = existsSync(join(root, 'cgroup.controllers'))
      ? [root]
      : readdirSync(root).map((name) => join(root, name));
    return hierarchies
      .map((hierarchy) => join(hierarchy, 'garua', id))
      .filter((folder) => existsSync(folder));
  }
});
