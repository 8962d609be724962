import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mount } from '../../lib/base';
import type { ContainerSpec, ContainerStatus } from '../../lib/container';
import { ContainerFixture, eventually, leasesOf, mountsBelow } from '../container/fixture';

const LOOP = 'trap "exit 0" TERM; echo ready; while ! test -e /tmp/end; do sleep 0.02; done; exit 5';

describe('container: after the end of its owner', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  /** Lets another process deploy; resolves when it has done so, or has died as it was told to. */
  async function deployInOtherProcess(
    spec: Partial<ContainerSpec>,
    crash: string[] = [],
    more: { action?: 'stop' | 'remove' | 'none'; supervise?: boolean } = {},
  ) {
    const { image, layers } = await fixture.image();
    const document = join(fixture.path, 'deploy.json');
    const full = { image: image.ref, name: 'box', network: 'none', ...spec };
    await writeFile(
      document,
      JSON.stringify({ directory: fixture.directory.path, spec: full, image, layers, ...more }),
    );
    const child = spawn(process.execPath, [join(__dirname, '../container/owner.js'), document, ...crash], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    const deployed = new Promise<ContainerStatus>((resolve) => {
      child.stdout.once('data', (line: Buffer) => resolve(JSON.parse(line.toString())));
    });
    if (crash.length > 0) {
      const [, signal] = await closed;
      assert.equal(signal, 'SIGKILL', 'the owner was to be killed in the middle');
      return undefined;
    }
    const container = await Promise.race([
      deployed,
      closed.then(() => {
        throw new Error('the owner failed');
      }),
    ]);
    child.kill('SIGKILL');
    await closed;
    return container;
  }

  async function endContainer(): Promise<void> {
    const [id] = await readdir(fixture.directory.join('containers'));
    await writeFile(fixture.directory.join('containers', id!, 'root/tmp/end'), '');
  }

  it('goes on, is found again and tells its exit code', async () => {
    await fixture.close();
    const before = (await deployInOtherProcess({ command: ['sh', '-c', LOOP] }))!;
    await fixture.open();
    const after = await fixture.engine.get('box');
    assert.deepEqual([after.state, after.pid, after.startedAt], ['running', before.pid, before.startedAt]);
    await endContainer();
    const ended = await fixture.engine.wait('box');
    assert.deepEqual([ended.exitCode, ended.state], [5, 'failed']);
    await eventually(async () => (await mountsBelow(fixture.path)).length === 0);
  });

  it('leaves its monitor where a service manager does not take it for a part of the owner', async () => {
    await fixture.deploy({ command: ['sh', '-c', LOOP] });
    const [id] = await readdir(fixture.directory.join('containers'));
    const monitor = await readFile(fixture.directory.join('containers', id!, 'conmon.pid'), 'utf8');
    // The hierarchy by which systemd knows what belongs to a service: v2, or the one named after it.
    const lines = (await readFile(`/proc/${monitor.trim()}/cgroup`, 'utf8')).split('\n');
    const line =
      lines.find((each) => each.includes('name=systemd')) ?? lines.find((each) => each.startsWith('0::'));
    assert.match(line!, /:\/garua\/monitors$/);
  });

  it('tells the exit code also when nobody was there at its end', async () => {
    await fixture.close();
    const { pid } = (await deployInOtherProcess({ command: ['sh', '-c', LOOP] }))!;
    await endContainer();
    await eventually(async () => {
      const exits = fixture.directory.join('container-exits');
      const [file] = await readdir(exits);
      return file !== undefined && (await readFile(join(exits, file), 'utf8')) === '5' && pid !== null;
    });
    await fixture.open();
    const { state, exitCode, reason } = await fixture.engine.get('box');
    assert.deepEqual({ state, exitCode, reason }, { state: 'failed', exitCode: 5, reason: 'exited' });
    assert.deepEqual(await mountsBelow(fixture.path), []);
  });

  it('is left alone by the same deploy from the next owner', async () => {
    await fixture.close();
    const before = (await deployInOtherProcess({ command: ['sh', '-c', LOOP] }))!;
    await fixture.open();
    const { outcome, container } = await fixture.deploy({ command: ['sh', '-c', LOOP] });
    assert.deepEqual([outcome, container.pid], ['unchanged', before.pid]);
  });

  it('does not take a process of an earlier boot for its own', async () => {
    await fixture.deploy({ command: ['sleep', '60'] });
    const [id] = await readdir(fixture.directory.join('containers'));
    fixture.database.prepare("UPDATE containers SET bootId = 'an earlier boot' WHERE id = ?").run(id);
    await fixture.close();
    await fixture.open();
    const { state, reason, pid } = await fixture.engine.get('box');
    assert.deepEqual(
      { state, reason, pid },
      { state: 'failed', reason: 'the host was restarted', pid: null },
    );
  });

  for (const step of ['keep', 'prepare', 'create', 'start']) {
    for (const when of ['before', 'after']) {
      it(`leaves nothing of a first deploy killed ${when} its step ${step}`, async () => {
        await fixture.close();
        await deployInOtherProcess(
          { command: ['sh', '-c', LOOP] },
          when === 'after' ? [step, 'after'] : [step],
        );
        await fixture.open();
        assert.deepEqual(await fixture.engine.list(), []);
        await assertNothingIsLeft();
      });
    }
  }

  it('gives back the address of a container that a crash left connected', async () => {
    await fixture.close();
    await deployInOtherProcess({ command: ['sh', '-c', LOOP], network: 'bridge' }, ['connect', 'after']);
    const [id] = await readdir(fixture.directory.join('containers'));
    assert.equal((await leasesOf(id!)).length, 1);
    await fixture.open();
    assert.deepEqual(await leasesOf(id!), []);
    await assertNothingIsLeft();
  });

  for (const step of ['keep', 'create', 'release', 'start']) {
    for (const when of ['before', 'after']) {
      it(`keeps the old container running when its replacement is killed ${when} the step ${step}`, async () => {
        // What both write to: the old one has to be stopped first.
        const mounts = [{ source: fixture.path, target: '/opt' }];
        const { container } = await fixture.deploy({ command: ['sh', '-c', LOOP], mounts });
        await fixture.close();
        const crash = when === 'after' ? [step, 'after'] : [step];
        await deployInOtherProcess({ command: ['sleep', '60'], mounts }, crash);
        await fixture.open();
        const now = await fixture.engine.get('box');
        assert.deepEqual([now.state, now.specDigest], ['running', container.specDigest]);
        assert.equal((await readdir(fixture.directory.join('containers'))).length, 1);
        assert.equal((await mountsBelow(fixture.path)).length, 1);
      });
    }
  }

  const READY = { exec: ['test', '-e', '/tmp/ready'], intervalMs: 100, startPeriodMs: 10_000 };
  const SLOW = ['sh', '-c', 'sleep 0.3; touch /tmp/ready; sleep 60'];

  for (const [step, when, runs] of [
    ['keep', 'after', 'old'],
    ['create', 'after', 'old'],
    ['connect', 'after', 'old'],
    ['start', 'before', 'old'],
    ['start', 'after', 'old'],
    ['discard', 'before', 'new'],
    ['discard', 'after', 'new'],
  ] as const) {
    it(`runs the ${runs} one alone when a replacement with a probe is killed ${when} the step ${step}`, async () => {
      const { container } = await fixture.deploy({ command: ['sh', '-c', LOOP] });
      await fixture.close();
      const crash = when === 'after' ? [step, 'after'] : [step];
      await deployInOtherProcess({ command: SLOW, readiness: READY, network: 'bridge' }, crash);
      const ids = await readdir(fixture.directory.join('containers'));
      await fixture.open();
      const now = await fixture.engine.get('box');
      assert.equal(now.state, 'running');
      assert.equal(now.specDigest === container.specDigest, runs === 'old');
      // The old one was never interrupted.
      if (runs === 'old') assert.equal(now.pid, container.pid);
      const [kept, ...more] = await readdir(fixture.directory.join('containers'));
      assert.deepEqual(more, []);
      for (const id of ids) if (id !== kept) assert.deepEqual(await leasesOf(id), []);
      assert.equal((await mountsBelow(fixture.path)).length, 1);
      assert.deepEqual(fixture.database.prepare('SELECT * FROM journal').all(), []);
    });
  }

  for (const when of ['before', 'after'] as const) {
    const crash = (step: string) => (when === 'after' ? [step, 'after'] : [step]);

    it(`has stopped what a stop killed ${when} its step release was to stop`, async () => {
      await fixture.deploy({ command: ['sh', '-c', LOOP], restart: { policy: 'always' } });
      await fixture.close();
      await deployInOtherProcess({}, crash('release'), { action: 'stop' });
      await fixture.reopen();
      assert.equal((await fixture.engine.get('box')).state, 'stopped');
      await eventually(async () => (await mountsBelow(fixture.path)).length === 0);
    });

    it(`has removed what a removal killed ${when} its step discard was to remove`, async () => {
      await fixture.deploy({ command: ['sh', '-c', LOOP], restart: { policy: 'always' } });
      await fixture.close();
      await deployInOtherProcess({}, crash('discard'), { action: 'remove' });
      await fixture.reopen();
      assert.deepEqual(await fixture.engine.list(), []);
      await assertNothingIsLeft();
    });

    for (const step of ['prepare', 'create', 'connect', 'start']) {
      it(`goes on with a restart by policy that was killed ${when} its step ${step}`, async () => {
        const restart = { policy: 'always' } as const;
        await fixture.deploy({ command: ['sh', '-c', LOOP], restart, network: 'bridge' });
        await endContainer();
        await fixture.until(({ state }) => state === 'restarting');
        await eventually(async () => (await mountsBelow(fixture.path)).length === 0);
        // Of the one start.
        const [id] = await readdir(fixture.directory.join('containers'));
        await rm(fixture.directory.join('containers', id!, 'upper/tmp/end'));
        await fixture.close();
        await deployInOtherProcess({}, crash(step), { action: 'none', supervise: true });
        await fixture.reopen();
        await fixture.until(({ state }) => state === 'running');
        assert.equal((await mountsBelow(fixture.path)).length, 1);
        assert.equal((await leasesOf(id!)).length, 1);
        assert.deepEqual(fixture.database.prepare('SELECT * FROM journal').all(), []);
      });
    }
  }

  it('finishes the removal of the old container when killed after the switch', async () => {
    const { container } = await fixture.deploy({ command: ['sh', '-c', LOOP] });
    await fixture.close();
    await deployInOtherProcess({ command: ['sleep', '60'] }, ['discard']);
    await fixture.open();
    const now = await fixture.engine.get('box');
    assert.equal(now.state, 'running');
    assert.notEqual(now.specDigest, container.specDigest);
    assert.equal((await readdir(fixture.directory.join('containers'))).length, 1);
  });

  for (const [step, when, state] of [
    ['prepare', 'after', 'failed'],
    ['create', 'before', 'failed'],
    ['create', 'after', 'failed'],
    ['start', 'before', 'running'],
    ['start', 'after', 'running'],
  ] as const) {
    it(`a start killed ${when} its step ${step} leaves the container ${state}`, async () => {
      await fixture.deploy({ command: ['sh', '-c', LOOP] });
      await fixture.engine.stop('box', { graceMs: 0 });
      await fixture.close();
      await deployInOtherProcess(
        { command: ['sh', '-c', LOOP] },
        when === 'after' ? [step, 'after'] : [step],
      );
      await fixture.open();
      assert.equal((await fixture.engine.get('box')).state, state);
      assert.equal((await fixture.deploy({ command: ['sh', '-c', LOOP] })).container.state, 'running');
    });
  }

  it('removes folders, mounts and runc state that belong to no container', async () => {
    await fixture.deploy({ command: ['sh', '-c', LOOP] });
    const stray = fixture.directory.join('containers', 'stray');
    await mkdir(join(stray, 'root'), { recursive: true });
    mount('tmpfs', join(stray, 'root'), 'tmpfs', 0, '');
    fixture.database.prepare('DELETE FROM containers').run();
    await fixture.close();
    await fixture.open();
    await assertNothingIsLeft();
  });

  async function assertNothingIsLeft(): Promise<void> {
    assert.deepEqual(await readdir(fixture.directory.join('containers')), []);
    assert.deepEqual(await readdir(fixture.directory.join('container-exits')), []);
    assert.deepEqual(await mountsBelow(fixture.path), []);
    assert.deepEqual(fixture.database.prepare('SELECT * FROM journal').all(), []);
    assert.deepEqual(await containerProcesses(fixture.path), []);
  }

  it('brings back what was being stopped for its replacement when the owner was killed', async () => {
    const script = 'trap "echo asked; sleep 1; exit 0" TERM; while :; do sleep 0.02; done';
    // Both write to it, so that one has to end before the other begins.
    const mounts = [{ source: fixture.path, target: '/opt' }];
    const spec = { command: ['sh', '-c', script], mounts };
    const { container: old } = await fixture.deploy(spec);
    const [id] = await readdir(fixture.directory.join('containers'));
    await fixture.close();
    const { image, layers } = await fixture.image();
    const document = join(fixture.path, 'deploy.json');
    const next = { image: image.ref, name: 'box', network: 'none', ...spec, env: { VERSION: '2' } };
    const directory = fixture.directory.path;
    await writeFile(document, JSON.stringify({ directory, spec: next, image, layers }));
    const child = spawn(process.execPath, [join(__dirname, '../container/owner.js'), document], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const closed = once(child, 'close');
    const log = fixture.directory.join('containers', id!, 'log/container.log');
    await eventually(async () => (await readFile(log, 'utf8')).includes('asked'));
    child.kill('SIGKILL');
    await closed;
    await fixture.open();
    const now = await fixture.engine.get('box');
    assert.deepEqual([now.state, now.specDigest], ['running', old.specDigest]);
    assert.notEqual(now.pid, old.pid);
    assert.deepEqual(await readdir(fixture.directory.join('containers')), [id]);
  });

  it('starts again what was being ended for its liveness probe, though it then ended well', async () => {
    await fixture.close();
    const { image, layers } = await fixture.image();
    const document = join(fixture.path, 'deploy.json');
    const script = 'trap "echo asked; sleep 1; exit 0" TERM; while :; do sleep 0.02; done';
    const spec = {
      ...{ image: image.ref, name: 'box', network: 'none', command: ['sh', '-c', script] },
      restart: { policy: 'on-failure' },
      liveness: { exec: ['test', '-e', '/none'], intervalMs: 100, failureThreshold: 1, startPeriodMs: 0 },
    };
    const directory = fixture.directory.path;
    await writeFile(document, JSON.stringify({ directory, spec, image, layers, supervise: true }));
    const child = spawn(process.execPath, [join(__dirname, '../container/owner.js'), document], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    await once(child.stdout, 'data');
    const [id] = await readdir(fixture.directory.join('containers'));
    const log = fixture.directory.join('containers', id!, 'log/container.log');
    await eventually(async () => (await readFile(log, 'utf8')).includes('asked'));
    child.kill('SIGKILL');
    await closed;
    // This one only looks; what it sees is as it was meant.
    await fixture.open();
    const ended = await fixture.until(({ state }) => state !== 'running');
    assert.deepEqual([ended.state, ended.exitCode], ['restarting', 0]);
    assert.match(ended.reason!, /^unhealthy/);
    await fixture.reopen();
    await fixture.until(({ restarts }) => restarts === 1);
  });
});

/** Command lines that name the fixture: conmon's among them. */
async function containerProcesses(path: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(
    (entry) => /^\d+$/.test(entry) && entry !== String(process.pid),
  );
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(path));
}
