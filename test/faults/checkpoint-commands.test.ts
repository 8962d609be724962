import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { CheckpointResult, ContainerStatus, RestoreResult } from '../../lib';
import { describeWithCriu } from '../container/move/support';
import { garua, garuaJson } from '../support/garua';
import { busyboxLayer, makeImage } from '../support/images';
import { startRegistry, type TestRegistry } from '../support/registry';
import { temporaryFolder } from '../support/temporary';

/** Counts in its memory, on its root and in its volume. */
const COUNT =
  'n=0; while :; do n=$((n+1)); echo $n; echo $n > /state/count; echo $n > /count; sleep 0.05; done';

describeWithCriu('garua checkpoint and restore', function () {
  this.timeout(180_000);
  after(async () => {
    for (const place of [data, other]) {
      for (const { name } of await garuaJson<ContainerStatus[]>(place, 'ps'))
        await garua(place, 'rm', '--force', name);
    }
    await registry?.stop();
  });
  const folder = temporaryFolder();
  const [data, other, file] = ['data', 'other', 'box.checkpoint'].map((name) => folder.join(name)) as [
    string,
    string,
    string,
  ];
  let registry: TestRegistry;
  let result: CheckpointResult;

  async function counted(place: string, name = 'box'): Promise<number[]> {
    const { stdout } = await garua(place, 'logs', name);
    return stdout.trim().split('\n').filter(Boolean).map(Number);
  }

  async function until(condition: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!(await condition())) {
      assert.ok(Date.now() < deadline, 'it takes too long');
      await delay(100);
    }
  }

  before(async () => {
    registry = await startRegistry();
    const config = { Cmd: ['sh', '-c', COUNT], Env: ['PATH=/bin'] };
    await registry.push(makeImage({ layers: [busyboxLayer()], config }), 'fog/count', '1');
    const words = ['--name', 'box', '--detach', '--memory', '64m', '--net', 'none', '-v', 'state:/state'];
    await garuaJson(data, 'run', `${registry.host}/fog/count:1`, ...words);
    await until(async () => (await counted(data)).length > 10);
    result = await garuaJson<CheckpointResult>(data, 'checkpoint', 'box', '-o', file);
  });

  it('makes one file that only its owner reads, and the container goes on', async () => {
    const { mode, size } = await stat(file);
    assert.deepEqual([mode & 0o777, result.name, result.size], [0o600, 'box', size]);
    assert.ok(result.frozenMs >= result.dumpMs && result.dumpMs > 0, JSON.stringify(result));
    const before = (await counted(data)).at(-1)!;
    await until(async () => (await counted(data)).at(-1)! > before);
    const numbers = await counted(data);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    );
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => name.includes('checkpoint')),
      ['box.checkpoint'],
    );
  });

  it('goes on from the file in another data directory: memory, files, volume, log and limits', async () => {
    const restored = await garuaJson<RestoreResult>(other, 'restore', file);
    assert.deepEqual([restored.container.state, restored.address], ['running', 'none']);
    const before = (await counted(other)).at(-1)!;
    await until(async () => (await counted(other)).at(-1)! > before + 5);
    const numbers = await counted(other);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    );
    const { stdout } = await garua(other, 'exec', 'box', '--', 'sh', '-c', 'cat /count /state/count');
    const [onRoot, inVolume] = stdout.trim().split('\n').map(Number);
    assert.ok(onRoot! >= before && Math.abs(onRoot! - inVolume!) <= 1, stdout);
    const { stdout: stats } = await garua(other, 'stats', '--json');
    assert.equal(JSON.parse(stats)[0].memoryLimit, 64 << 20);
  });

  it('refuses what would mix with what is here, and leaves nothing of it', async () => {
    const taken = await garua(other, 'restore', file);
    assert.match(taken.stderr, /^error ERR_CONTAINER_EXISTS: .*box/);
    const volume = await garua(other, 'restore', file, '--name', 'twin');
    assert.match(volume.stderr, /^error ERR_VOLUME_EXISTS: .*state/);
    const names = (await garuaJson<ContainerStatus[]>(other, 'ps')).map(({ name }) => name);
    assert.deepEqual(names, ['box']);
  });

  it('refuses a file that is not as it was written', async () => {
    const bytes = await readFile(file);
    const damaged = folder.join('damaged');
    const cases: [string, (path: string) => Promise<void>][] = [
      ['cut short', (path) => truncate(path, Math.floor(bytes.length * 0.9))],
      ['nearly empty', (path) => truncate(path, 5)],
      [
        'with other bytes in its middle',
        async (path) => {
          const changed = Buffer.from(bytes);
          changed.fill('x', Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 64);
          await writeFile(path, changed);
        },
      ],
      ['of something else', (path) => writeFile(path, Buffer.alloc(100_000, 'x'))],
    ];
    await garua(other, 'rm', '--force', 'box');
    await garua(other, 'volumes', '--remove', 'state');
    for (const [what, damage] of cases) {
      await copyFile(file, damaged);
      await damage(damaged);
      const { status, stderr } = await garua(other, 'restore', damaged);
      assert.deepEqual([status, /^error (\S+):/.exec(stderr)?.[1]], [1, 'ERR_CHECKPOINT_FILE_DAMAGED'], what);
    }
    assert.deepEqual(await garuaJson(other, 'ps'), []);
    assert.deepEqual(await garuaJson(other, 'volumes'), []);
  });

  it('refuses restores where the policy does not let them in', async () => {
    await writeFile(`${other}/policy.json`, '{"privileged": false}', { mode: 0o600 });
    assert.match((await garua(other, 'restore', file)).stderr, /^error ERR_POLICY_RESTORE: /);
    await writeFile(`${other}/policy.json`, '{"restore": true}', { mode: 0o600 });
    assert.equal((await garuaJson<RestoreResult>(other, 'restore', file)).container.name, 'box');
  });

  it('says what was wrong with the words, the name or the file', async () => {
    assert.equal((await garua(data, 'checkpoint', 'box')).status, 2);
    const nobody = await garua(data, 'checkpoint', 'nobody', '-o', folder.join('none'));
    assert.match(nobody.stderr, /^error ERR_CONTAINER_NOT_FOUND: /);
    assert.ok(!(await readdir(folder.path)).includes('none'));
    assert.match((await garua(data, 'restore', folder.join('none'))).stderr, /^error \S+: .*none/);
  });
});
