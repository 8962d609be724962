import assert from 'node:assert/strict';
import { ContainerFixture, eventually, mountsBelow } from './fixture';

describe('container: a first run', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  it('runs a command and keeps its output and exit code', async () => {
    const result = await fixture.run('echo out; echo problem >&2; exit 7');
    assert.deepEqual(result.stdout, ['out']);
    assert.deepEqual(result.stderr, ['problem']);
    const { state, exitCode, reason, pid, name, host } = result.status;
    assert.deepEqual(
      { state, exitCode, reason, pid, name, host },
      { state: 'failed', exitCode: 7, reason: 'exited', pid: null, name: 'box', host: 'test-host' },
    );
  });

  it('reports a running container with its pid, and frees the mount when it has ended', async () => {
    const { outcome, container } = await fixture.deploy({ command: ['sh', '-c', 'sleep 0.2'] });
    assert.equal(outcome, 'started');
    assert.equal(container.state, 'running');
    assert.ok(container.pid! > 1);
    assert.equal((await mountsBelow(fixture.path)).length, 1);
    const ended = await fixture.engine.wait('box');
    assert.equal(ended.state, 'stopped');
    assert.ok(ended.finishedAt! >= ended.startedAt!);
    await eventually(async () => (await mountsBelow(fixture.path)).length === 0);
  });

  it('names the signal that killed it', async () => {
    const { status } = await fixture.run('kill -9 $$', {
      entrypoint: ['sh', '-c', 'sh -c "kill -SEGV \\$\\$"; exit $?'],
      command: [],
    });
    assert.equal(status.exitCode, 139);
    assert.equal(status.reason, 'killed by SIGSEGV');
  });

  it('notices that the kernel killed it for its memory', async () => {
    const { status } = await fixture.run('exec dd if=/dev/zero of=/dev/null bs=64M', { memory: 8 << 20 });
    assert.deepEqual(
      [status.reason, status.state, status.exitCode],
      ['out of memory (limit 8 MiB)', 'failed', 137],
    );
  });

  it('keeps its data in a folder with a long and odd name', async () => {
    const other = await ContainerFixture.create(`a, b:c\\ =${'d'.repeat(150)}`);
    try {
      assert.deepEqual((await other.run('echo fine')).stdout, ['fine']);
    } finally {
      await other.destroy();
    }
  });

  it('runs two containers side by side', async () => {
    await fixture.deploy({ name: 'one', command: ['sleep', '60'] });
    await fixture.deploy({ name: 'two', command: ['sleep', '60'] });
    const states = (await fixture.engine.list()).map(({ name, state }) => [name, state]);
    assert.deepEqual(states, [
      ['one', 'running'],
      ['two', 'running'],
    ]);
    await fixture.engine.stop('one', { graceMs: 0 });
    assert.equal((await fixture.engine.get('two')).state, 'running');
  });
});
