import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerStatus } from '../../lib/container';
import { ContainerFixture, eventually, mountsBelow } from './fixture';

describe('container: life and death', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  const obedient = ['sh', '-c', 'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done'];
  const stubborn = ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'];

  async function ready(name = 'box'): Promise<void> {
    for await (const { text } of fixture.engine.logs(name, { follow: true })) if (text === 'ready') return;
  }

  it('stops with SIGTERM', async () => {
    await fixture.deploy({ command: obedient });
    await ready();
    const { state, exitCode, reason } = await fixture.engine.stop('box');
    assert.deepEqual({ state, exitCode, reason }, { state: 'stopped', exitCode: 3, reason: 'exited' });
    assert.deepEqual(await mountsBelow(fixture.path), []);
  });

  it('stops with the image’s signal', async () => {
    const image = await fixture.image({ StopSignal: 'SIGUSR1' });
    const command = [
      'sh',
      '-c',
      'trap "exit 9" USR1; trap "" TERM; echo ready; while :; do sleep 0.05; done',
    ];
    await fixture.deploy({ command }, image);
    await ready();
    assert.equal((await fixture.engine.stop('box')).exitCode, 9);
  });

  it('kills what ignores the stop signal, after the grace', async () => {
    await fixture.deploy({ command: stubborn });
    await ready();
    const { state, exitCode, reason } = await fixture.engine.stop('box', { graceMs: 150 });
    assert.deepEqual(
      { state, exitCode, reason },
      { state: 'stopped', exitCode: 137, reason: 'killed by SIGKILL' },
    );
  });

  it('leaves alone what runs as the spec says', async () => {
    const first = await fixture.deploy({ command: obedient });
    const second = await fixture.deploy({ command: obedient });
    assert.deepEqual([second.outcome, second.container.pid], ['unchanged', first.container.pid]);
  });

  it('starts what is stopped and otherwise as the spec says', async () => {
    await fixture.deploy({ command: obedient });
    await fixture.engine.stop('box', { graceMs: 0 });
    const { outcome, container } = await fixture.deploy({ command: obedient });
    assert.deepEqual([outcome, container.state, container.exitCode], ['started', 'running', null]);
  });

  it('replaces what differs, and leaves nothing of the old one', async () => {
    const first = await fixture.deploy({ command: obedient });
    const { outcome, container } = await fixture.deploy({ command: obedient, env: { A: '1' } });
    assert.equal(outcome, 'replaced');
    assert.notEqual(container.pid, first.container.pid);
    assert.throws(() => process.kill(first.container.pid!, 0));
    assert.equal((await readdir(fixture.directory.join('containers'))).length, 1);
    assert.equal((await mountsBelow(fixture.path)).length, 1);
  });

  it('does not touch the old one when the new one cannot be made', async () => {
    const { container } = await fixture.deploy({ command: obedient });
    await assert.rejects(fixture.deploy({ command: ['/no/such'] }), {
      code: 'ERR_CONTAINER_COMMAND_NOT_FOUND',
    });
    const mounts = [{ source: fixture.path, target: '/opt' }];
    // Inside a mount only runc can tell.
    await assert.rejects(fixture.deploy({ command: ['/opt/no'], mounts }), {
      code: 'ERR_CONTAINER_COMMAND_NOT_FOUND',
    });
    assert.equal((await fixture.engine.get('box')).pid, container.pid);
    assert.equal((await readdir(fixture.directory.join('containers'))).length, 1);
    assert.equal((await mountsBelow(fixture.path)).length, 1);
  });

  it('brings the old one back when the new one fails at the last step', async () => {
    const path = process.env.PATH;
    // What both write to, so that they cannot run side by side.
    const mounts = [{ source: fixture.path, target: '/opt' }];
    const first = await fixture.deploy({ command: obedient, mounts });
    const tools = join(fixture.path, 'tools');
    await mkdir(tools);
    // Refuses the first start only, which is the new container's.
    const script = `#!/bin/sh
case " $* " in *" start "*) if mkdir ${tools}/once 2>/dev/null; then echo 'level=error msg="no luck today"' >&2; exit 1; fi;; esac
PATH='${path}' exec runc "$@"
`;
    await writeFile(join(tools, 'runc'), script);
    await chmod(join(tools, 'runc'), 0o755);
    process.env.PATH = `${tools}:${path}`;
    try {
      await assert.rejects(fixture.deploy({ command: stubborn, mounts }), {
        code: 'ERR_CONTAINER_START_FAILED',
        message: /no luck today.*previous container is running again/,
      });
    } finally {
      process.env.PATH = path;
    }
    const now = await fixture.engine.get('box');
    assert.equal(now.state, 'running');
    assert.equal(now.specDigest, first.container.specDigest);
    assert.notEqual(now.pid, first.container.pid);
  });

  it('removes a running container only by force', async () => {
    await fixture.deploy({ command: obedient });
    await assert.rejects(fixture.engine.remove('box'), { code: 'ERR_CONTAINER_RUNNING' });
    await fixture.engine.remove('box', { force: true, graceMs: 0 });
    await assert.rejects(fixture.engine.get('box'), { code: 'ERR_CONTAINER_NOT_FOUND' });
    assert.deepEqual(await readdir(fixture.directory.join('containers')), []);
    assert.deepEqual(await readdir(fixture.directory.join('container-exits')), []);
    assert.deepEqual(await mountsBelow(fixture.path), []);
  });

  it('tells those who watch what happens', async () => {
    const seen: ContainerStatus[] = [];
    const end = new AbortController();
    const watching = (async () => {
      for await (const status of fixture.engine.watch({ signal: end.signal })) seen.push(status);
    })();
    await fixture.deploy({ command: ['sh', '-c', 'sleep 0.1; exit 4'] });
    await eventually(async () => seen.length === 2);
    end.abort();
    await watching;
    assert.deepEqual(
      seen.map(({ state, exitCode }) => [state, exitCode]),
      [
        ['running', null],
        ['failed', 4],
      ],
    );
  });

  it('notices a death that conmon did not live to report', async () => {
    const { container } = await fixture.deploy({ command: obedient });
    const [id] = await readdir(fixture.directory.join('containers'));
    const monitor = Number(await readFile(fixture.directory.join('containers', id!, 'conmon.pid'), 'utf8'));
    process.kill(monitor, 'SIGKILL');
    process.kill(container.pid!, 'SIGKILL');
    const { state, exitCode, reason } = await fixture.engine.wait('box');
    assert.deepEqual(
      { state, exitCode, reason },
      { state: 'failed', exitCode: null, reason: 'ended while its monitor was gone' },
    );
  });

  it('runs operations on one container in order', async () => {
    await fixture.deploy({ command: obedient });
    const test = await fixture.image();
    const spec = { image: test.image.ref, name: 'box', network: 'none' as const, command: stubborn };
    const results = await Promise.allSettled([
      fixture.engine.stop('box', { graceMs: 0 }),
      fixture.engine.start('box'),
      fixture.engine.deploy(spec, test.image, test.layers),
      fixture.engine.remove('box', { force: true, graceMs: 0 }),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      Array(4).fill('fulfilled'),
    );
    assert.deepEqual(await fixture.engine.list(), []);
  });

  it('ends waits and followed logs when the engine closes', async () => {
    await fixture.deploy({ command: obedient });
    const waiting = assert.rejects(fixture.engine.wait('box'), { code: 'ERR_ABORTED' });
    const lines = fixture.engine.logs('box', { follow: true });
    assert.equal((await lines.next()).value?.text, 'ready');
    const next = lines.next();
    await fixture.close();
    assert.equal((await next).done, true);
    await waiting;
    await fixture.open();
  });

  it('says which images are in use', async () => {
    const { image } = await fixture.image();
    assert.deepEqual(await fixture.engine.usedImages(), []);
    await fixture.deploy({ command: ['true'] });
    assert.deepEqual(await fixture.engine.usedImages(), [image.digest]);
  });
});
