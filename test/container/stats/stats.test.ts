import assert from 'node:assert/strict';
import type { ContainerStats } from '../../../lib/container';
import { ContainerFixture, eventually } from '../fixture';

describe('container: stats', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  it('tell what a container uses: a quarter of a core, its memory, its processes, its log', async () => {
    const busy =
      'head -c 5000000 /dev/zero > /dev/shm/five; sleep 60 & sleep 60 & echo up; while :; do :; done';
    const command = ['sh', '-c', busy];
    await fixture.deploy({ command, cpus: 0.25, memory: 32 * 2 ** 20, pids: 50 });
    await fixture.deploy({ name: 'idle', command: ['sleep', '60'] });
    await fixture.deploy({ name: 'ended', command: ['true'] });
    await fixture.engine.wait('ended');
    let box: ContainerStats | undefined;
    let idle: ContainerStats | undefined;
    // Once the throttle has been at work for a while.
    await eventually(async () => {
      const all = await fixture.engine.stats();
      assert.deepEqual(
        all.map(({ name }) => name),
        ['box', 'idle'],
      );
      [box, idle] = all;
      return box!.throttledSeconds! > 1;
    });
    // On a busy machine it may get less than its share.
    assert.ok(box!.cpus! > 0.02 && box!.cpus! < 0.35, `${box!.cpus} cores`);
    assert.ok(idle!.cpus! < 0.05, `${idle!.cpus} cores`);
    assert.ok(box!.cpuSeconds! > 0.2);
    assert.ok(box!.memory! > 5_000_000 && box!.memory! < 32 * 2 ** 20, `${box!.memory} bytes`);
    assert.equal(box!.memoryLimit, 32 * 2 ** 20);
    assert.equal(idle!.memoryLimit, null);
    assert.equal(box!.processes, 3);
    assert.equal(box!.processLimit, 50);
    assert.equal(box!.logBytes > 10 && box!.logBytes < 200, true);
    assert.deepEqual([box!.receivedBytes, box!.sentBytes], [0, 0]);
    assert.ok(!Number.isNaN(Date.parse(box!.time)));
  });

  it('count the traffic of the bridge, and none on the network of the host', async () => {
    const flood = 'busybox ping -c 1 -s 20000 10.86.0.1; sleep 60';
    await fixture.deploy({ name: 'bridged', network: 'bridge', command: ['sh', '-c', flood] });
    await fixture.deploy({ name: 'shared', network: 'host', command: ['sleep', '60'] });
    let bridged: ContainerStats | undefined;
    let shared: ContainerStats | undefined;
    await eventually(async () => {
      [bridged, shared] = await fixture.engine.stats();
      return bridged!.sentBytes! > 20_000;
    });
    assert.deepEqual([shared!.receivedBytes, shared!.sentBytes], [null, null]);
  });

  it('end at the signal', async () => {
    await fixture.deploy({ command: ['sleep', '60'] });
    await assert.rejects(fixture.engine.stats({ signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
  });
});
