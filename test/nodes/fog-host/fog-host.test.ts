import { deepEqual, equal } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Machine } from '../../../lib/host';
import { hostPool } from '../../../nodes/fog-host/host-pool';
import { type HostStatusDocument, hostStatus } from '../../../nodes/fog-host/host-status';
import { TestNodeRed } from '../../support/node-red';
import { temporaryFolder } from '../../support/temporary';

describe('fog-host', function () {
  this.timeout(20_000);
  const folder = temporaryFolder();
  const red = new TestNodeRed();

  async function status(id: string): Promise<HostStatusDocument> {
    const answer = await red.helper.request().get(`/garua/host/${id}/status`);
    equal(answer.status, 200);
    return answer.body as HostStatusDocument;
  }

  it('says what its host is', async () => {
    const dataDirectory = folder.join('data');
    await red.load([{ id: 'host', type: 'fog-host', name: 'kitchen', dataDirectory }]);
    const { state, info, embedded, problems } = await status('host');
    deepEqual(
      [state, info?.name, info?.dataDirectory, embedded, problems],
      ['ready', 'kitchen', dataDirectory, true, []],
    );
  });

  it('says what is missing on the machine that it runs on', async () => {
    const poor: Machine = {
      architecture: 'arm64',
      userId: 1000,
      read: (path) => (path === '/proc/filesystems' ? 'nodev overlay' : undefined),
      exists: () => true,
      which: (program) =>
        ['conmon', 'iptables'].includes(program) ? { path: `/usr/bin/${program}`, onPath: true } : undefined,
      freeSpace: () => 1e12,
    };
    const lease = hostPool.acquire({ dataDirectory: folder.join('poor') });
    try {
      const { state, problems } = await hostStatus(lease, poor);
      equal(state, 'limited');
      deepEqual(
        problems.map(({ what }) => what.split(':')[0]),
        ['root', 'runc', 'memory-cgroup'],
      );
      equal(problems[1]!.hint, 'apt-get install runc');
      equal((await hostStatus(undefined, poor)).state, 'undeployed');
    } finally {
      await lease.release();
    }
  });

  it('says why a daemon does not answer', async () => {
    await red.load([{ id: 'host', type: 'fog-host', socket: folder.join('nobody.sock') }]);
    const { state, problems } = await status('host');
    equal(state, 'unreachable');
    equal(problems[0]!.what.includes('nobody.sock'), true);
  });

  it('opens nothing for a node that is not deployed', async () => {
    await red.load([]);
    const { state, info } = await status('unknown');
    deepEqual([state, info, existsSync(folder.join('unknown'))], ['undeployed', undefined, false]);
  });
});
