import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerStatus, PullResult } from '../../lib';
import { garua, garuaJson, spawnGarua } from '../support/garua';
import { busyboxLayer, fileLayer, makeImage } from '../support/images';
import { freePort, startRegistry, type TestRegistry } from '../support/registry';
import { temporaryFolder } from '../support/temporary';

describe('garua', () => {
  // Before the folder goes, which is the next hook.
  after(async () => {
    for (const { name } of await garuaJson<ContainerStatus[]>(data, 'ps'))
      await garua(data, 'rm', '--force', name);
    await registry.stop();
  });
  const folder = temporaryFolder();
  const data = folder.join('data');
  const image = makeImage({
    layers: [busyboxLayer(), fileLayer({ 'etc/motd': 'hello\n' })],
    config: { Cmd: ['sleep', '600'], Env: ['PATH=/bin', 'PLACE=quay'] },
  });
  let registry: TestRegistry;
  let ref: string;

  before(async () => {
    registry = await startRegistry();
    ref = `${registry.host}/fog/box:1`;
    await registry.push(image, 'fog/box', '1');
  });

  describe('words and exit statuses', () => {
    const wrong: string[][] = [
      [],
      ['fly'],
      ['pull'],
      ['pull', 'a', 'b'],
      ['pull', 'a', '--no-such-option'],
      ['pull', 'a', '--', 'x'],
      ['run', 'a', '--env', 'novalue'],
      ['run', 'a', '-v', 'x'],
      ['run', 'a', '-p', 'x:y'],
      ['run', 'a', '-p', '99999:80'],
      ['run', 'a', '-v', '/tmp:relative'],
      ['run', 'a', '--memory', 'much'],
      ['ps', '--socket', ''],
      ['run', 'a', '--net', 'moon'],
      ['run', 'a', '--pull', 'perhaps'],
      ['logs', 'a', '--tail', 'x'],
      ['stop', 'a', '--time', 'x'],
      ['restart', 'a', '--time', 'x'],
      ['exec', 'a'],
      ['exec', 'a', '--'],
      ['exec', 'a', '--env', 'novalue', '--', 'true'],
      ['exec', 'a', '-i', '--json', '--', 'true'],
      ['exec', 'a', '-t', '--', 'true'],
      ['stats', 'a'],
      ['volumes', 'a'],
    ];
    for (const words of wrong) {
      it(`garua ${words.join(' ')}: wrong usage, status 2`, async () => {
        const { status, stdout, stderr } = await garua(data, ...words);
        // Without a command the data directory's option is the first word.
        assert.equal(status, 2);
        assert.equal(stdout, '');
        assert.notEqual(stderr, '');
      });
    }

    it('a failure has status 1, a code and a hint', async () => {
      const { status, stdout, stderr } = await garua(data, 'pull', `${registry.host}/fog/none:1`);
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^error ERR_IMAGE_NOT_FOUND: .*fog\/none.*\nhint: .+\n$/);
    });

    it('says what is wrong with a data directory that can be none', async () => {
      for (const path of ['/proc/none', '/etc/passwd', '/etc/passwd/below']) {
        const { status, stderr } = await garua(path, 'images');
        assert.equal(status, 1);
        assert.match(stderr, /^error ERR_INVALID_ARGUMENT: .*data directory/);
      }
    });

    it('help goes to stdout', async () => {
      const { status, stdout } = await garua(data, 'run', '--help');
      assert.equal(status, 0);
      assert.match(stdout, /Usage: garua run/);
    });
  });

  it('pull: the contract’s document, and nothing fetched the second time', async () => {
    const first = await garuaJson<PullResult>(data, 'pull', ref);
    assert.equal(first.ref, ref);
    assert.equal(first.digest, image.digest);
    assert.equal(first.chainIds.length, 2);
    assert.deepEqual(
      first.layers.map(({ digest, source }) => [digest, source]),
      image.manifest.layers.map(({ digest }) => [digest, 'registry']),
    );
    const compressed = image.manifest.layers.reduce((sum, { size }) => sum + size, 0);
    assert.equal(
      first.layers.reduce((sum, { bytes }) => sum + bytes, 0),
      compressed,
    );
    const second = await garuaJson<PullResult>(data, 'pull', ref);
    assert.equal(second.bytesDownloaded, 0);
    assert.deepEqual(new Set(second.layers.map(({ source }) => source)), new Set(['store']));
    const images = await garuaJson<{ ref: string; digest: string }[]>(data, 'images');
    assert.deepEqual(
      images.map(({ ref, digest }) => [ref, digest]),
      [[ref, image.digest]],
    );
  });

  it('run: prints what the container writes, and fails when it fails', async () => {
    const good = await garua(data, 'run', ref, '--', 'sh', '-c', 'cat /etc/motd; echo $PLACE; echo oops >&2');
    assert.deepEqual(good, { status: 0, stdout: 'hello\nquay\n', stderr: 'oops\n' });
    const bad = await garua(data, 'run', ref, '--env', 'CODE=7', '--', 'sh', '-c', 'exit $CODE');
    assert.equal(bad.status, 1);
    assert.match(bad.stderr, /ERR_CONTAINER_EXITED.*status 7/);
  });

  it('run --detach, ps, logs, stop, start, rm', async () => {
    mkdirSync(folder.join('shared'));
    writeFileSync(folder.join('shared/file'), 'from the host\n');
    const script = 'cat /mnt/file; echo second; exec sleep 600';
    const words = [
      'run',
      ref,
      '--name',
      'web',
      '--detach',
      '--memory',
      '64m',
      '-v',
      `${folder.join('shared')}:/mnt:ro`,
    ];
    const started = await garuaJson<ContainerStatus>(data, ...words, '--', 'sh', '-c', script);
    assert.equal(started.state, 'running');

    const again = await garuaJson<ContainerStatus>(data, ...words, '--', 'sh', '-c', script);
    assert.equal(again.pid, started.pid);

    const [row] = (await garuaJson<ContainerStatus[]>(data, 'ps')).filter(({ name }) => name === 'web');
    assert.ok(row);
    assert.deepEqual(Object.keys(row).sort(), [
      'address',
      'exitCode',
      'finishedAt',
      'health',
      'host',
      'image',
      'imageDigest',
      'name',
      'pid',
      'ports',
      'reason',
      'restarts',
      'rolledBack',
      'service',
      'specDigest',
      'startedAt',
      'state',
    ]);
    assert.equal(row.pid, started.pid);
    process.kill(row.pid!, 0);

    const log = await garua(data, 'logs', 'web');
    assert.equal(log.stdout, 'from the host\nsecond\n');
    assert.equal((await garua(data, 'logs', 'web', '--tail', '1')).stdout, 'second\n');

    const lines = await garuaJson<{ text: string }[]>(data, 'logs', 'web');
    assert.deepEqual(
      lines.map(({ text }) => text),
      ['from the host', 'second'],
    );

    const removing = await garua(data, 'rm', 'web');
    assert.equal(removing.status, 1);
    assert.match(removing.stderr, /ERR_CONTAINER_RUNNING/);

    const stopped = await garuaJson<ContainerStatus>(data, 'stop', 'web', '--time', '0.2');
    assert.equal(stopped.state, 'stopped');
    assert.equal(stopped.pid, null);
    const resumed = await garuaJson<ContainerStatus>(data, 'start', 'web');
    assert.equal(resumed.state, 'running');
    assert.equal((await garua(data, 'rm', 'web', '--force')).status, 0);
    assert.ok(!(await garuaJson<ContainerStatus[]>(data, 'ps')).some(({ name }) => name === 'web'));
    const gone = await garua(data, 'logs', 'web');
    assert.match(gone.stderr, /ERR_CONTAINER_NOT_FOUND/);
  });

  it('an interruption stops a container in the foreground', async () => {
    const { child, result } = spawnGarua(data, [
      'run',
      ref,
      '--name',
      'front',
      '--',
      'sh',
      '-c',
      'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done',
    ]);
    await once(child.stdout!, 'data');
    child.kill('SIGINT');
    assert.equal((await result).status, 0);
    const [row] = (await garuaJson<ContainerStatus[]>(data, 'ps')).filter(({ name }) => name === 'front');
    assert.equal(row?.state, 'stopped');
  });

  it('a second process speaks through the first, and takes over when it was killed', async () => {
    const owner = spawnGarua(data, [
      'run',
      ref,
      '--name',
      'owned',
      '--',
      'sh',
      '-c',
      'echo up; exec sleep 600',
    ]);
    await once(owner.child.stdout!, 'data');
    const beside = await garuaJson<ContainerStatus[]>(data, 'ps');
    const running = beside.find(({ name }) => name === 'owned');
    assert.equal(running?.state, 'running');
    const following = spawnGarua(data, ['logs', 'owned', '--follow']);
    await once(following.child.stdout!, 'data');
    owner.child.kill('SIGKILL');
    await owner.result;
    const after = await garuaJson<ContainerStatus[]>(data, 'ps');
    assert.equal(after.find(({ name }) => name === 'owned')?.pid, running?.pid);
    following.child.kill('SIGTERM');
    await following.result;
    assert.equal((await garua(data, 'rm', 'owned', '--force')).status, 0);
    await delay(0);
  });

  it('a container in the foreground outlives the process that owned the host when it began', async () => {
    const owner = spawnGarua(data, ['run', ref, '--name', 'brief', '--', 'sh', '-c', 'echo up; sleep 1']);
    await once(owner.child.stdout!, 'data');
    const script = 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.4; done';
    const guest = await garua(data, 'run', ref, '--name', 'longer', '--', 'sh', '-c', script);
    assert.equal((await owner.result).status, 0);
    assert.deepEqual(guest, { status: 0, stdout: '1\n2\n3\n4\n5\n6\n', stderr: '' });
  });

  it('publishes a port of a container that runs as another user', async () => {
    const port = await freePort();
    const serve = 'mkdir /tmp/www; id -u > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www';
    const words = ['run', ref, '--detach', '--name', 'site', '-p', `${port}:8080`, '--user', 'nobody'];
    const status = await garuaJson<ContainerStatus>(data, ...words, '--', 'sh', '-c', serve);
    assert.deepEqual(
      status.ports.map(({ hostPort, containerPort }) => [hostPort, containerPort]),
      [[port, 8080]],
    );
    const page = await answer(`http://127.0.0.1:${port}/`);
    assert.equal(page, '65534\n');
    await garua(data, 'rm', 'site', '--force');
  });

  it('prune keeps what a deploy under way is about to use', async () => {
    const words = ['run', ref, '--name', 'slow', '--detach', '--net', 'none'];
    const deaf = 'trap "" TERM; while :; do sleep 0.1; done';
    await garuaJson(data, ...words, '--', 'sh', '-c', deaf);
    const late = makeImage({ layers: [busyboxLayer(), fileLayer({ 'x/file': 'here' })] });
    await registry.push(late, 'fog/late', '1');
    const lateRef = `${registry.host}/fog/late:1`;
    const script = 'cat /x/file; exec sleep 600';
    const deploying = spawnGarua(data, [
      'run',
      lateRef,
      '--name',
      'slow',
      '--detach',
      '--net',
      'none',
      '--',
      'sh',
      '-c',
      script,
    ]);
    while (!(await garuaJson<{ ref: string }[]>(data, 'images')).some((image) => image.ref === lateRef))
      await delay(50);
    const pruned = await garuaJson<{ images: string[] }>(data, 'prune');
    assert.ok(!pruned.images.includes(lateRef));
    assert.equal((await deploying.result).status, 0);
    assert.equal((await garua(data, 'logs', 'slow')).stdout, 'here\n');
    await garua(data, 'rm', 'slow', '--force');
  });

  it('prune keeps what a container uses', async () => {
    await garua(data, 'run', ref, '--name', 'keeper', '--detach');
    const kept = await garuaJson<{ images: string[] }>(data, 'prune');
    assert.ok(!kept.images.includes(ref));
    for (const { name } of await garuaJson<ContainerStatus[]>(data, 'ps'))
      await garua(data, 'rm', '--force', name);
    const pruned = await garuaJson<{ images: string[]; layers: string[]; bytesFreed: number }>(data, 'prune');
    assert.ok(pruned.images.includes(ref));
    assert.ok(pruned.layers.length >= 2);
    assert.ok(pruned.bytesFreed > 100_000);
  });
});

/** The page, once the server answers. */
async function answer(url: string): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      if (attempt === 100) throw error;
      await delay(50);
    }
  }
}
