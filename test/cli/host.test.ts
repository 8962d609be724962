import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerStatus } from '../../lib';
import { garua, garuaJson, spawnGarua } from '../support/garua';
import { busyboxLayer, makeImage } from '../support/images';
import { startRegistry, type TestRegistry } from '../support/registry';
import { temporaryFolder } from '../support/temporary';

describe('garua host', () => {
  after(async () => {
    await garua(data, 'rm', '--force', 'lamp');
    await registry.stop();
  });
  const data = temporaryFolder().join('data');
  let registry: TestRegistry;

  it('stays, brings a container with a restart policy back, and leaves it running when it ends', async () => {
    registry = await startRegistry();
    await registry.push(makeImage({ layers: [busyboxLayer()] }), 'fog/box', '1');
    const { child, result } = spawnGarua(data, ['host', '--name', 'quay']);
    let said = '';
    child.stderr!.on('data', (text) => {
      said += text;
    });
    while (!said.includes('host quay serves')) await delay(20);
    const image = `${registry.host}/fog/box:1`;
    const run = ['run', image, '--name', 'lamp', '--detach', '--net', 'none', '--restart', 'always'];
    const started = await garuaJson<ContainerStatus>(data, ...run, '--', 'sleep', '600');
    assert.equal(started.host, 'quay');
    process.kill(started.pid!, 'SIGKILL');
    let now = started;
    while (now.restarts === 0 || now.state !== 'running') {
      await delay(100);
      [now] = (await garuaJson<[ContainerStatus]>(data, 'ps')) as [ContainerStatus];
    }
    assert.notEqual(now.pid, started.pid);
    while (!/container lamp running \(process \d+, restarts 1\)/.test(said)) await delay(20);

    child.kill('SIGTERM');
    assert.equal((await result).status, 0);
    const [left] = await garuaJson<[ContainerStatus]>(data, 'ps');
    assert.deepEqual([left.state, left.pid], ['running', now.pid]);
  });
});
