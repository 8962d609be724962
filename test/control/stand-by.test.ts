import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { openHost } from '../../lib/control';
import type { Host } from '../../lib/host';
import { ContainerFixture } from '../container/fixture';

describe('control: a host that stands by', () => {
  let fixture: ContainerFixture;
  const hosts: Host[] = [];
  before(async () => {
    fixture = await ContainerFixture.create();
  });
  after(async () => {
    for (const host of hosts.reverse()) await host.close();
    await fixture.destroy();
  });

  it('lets restart policies act also while a command that does not care owns the data directory', async () => {
    await fixture.deploy({ command: ['sh', '-c', 'exit 3'], restart: { policy: 'always' } });
    await fixture.until(({ state }) => state === 'restarting');
    await fixture.close();
    const dataDirectory = fixture.directory.path;
    const command = await openHost({ dataDirectory });
    hosts.push(command);
    await delay(1_500);
    assert.deepEqual((await command.container('box')).restarts, 0);
    hosts.push(await openHost({ dataDirectory, supervise: true }));
    while ((await command.container('box')).restarts === 0) await delay(50);
  });
});
