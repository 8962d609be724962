import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { openHost } from '../../../lib/control';
import type { Host } from '../../../lib/host';
import { ConnectTime, parseAddress } from '../../../lib/host/outlook/connect-time';
import { eventually } from '../../mesh/support/mesh-process';
import { freePort } from '../../support/registry';
import { temporaryFolder } from '../../support/temporary';

describe('what a host sees', () => {
  const folder = temporaryFolder();
  const hosts: Host[] = [];
  let server: Server;
  let address: string;

  before(async () => {
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const name of ['ada', 'bob']) {
      const mesh = { listen: ['/ip4/127.0.0.1/tcp/0'] };
      const options = { dataDirectory: folder.join(name), name, site: `${name}s`, mesh, supervise: true };
      hosts.push(await openHost(options));
    }
    await hosts[0]!.fogCreate();
    await hosts[1]!.fogJoin(await hosts[0]!.fogInvite());
    // Its load comes with the first heartbeat.
    await eventually(async () => (await hosts[0]!.outlook()).others.length, 1, 30_000);
  });

  after(async () => {
    for (const host of hosts) await host.close();
    server.close();
  });

  it('is itself and the others, with their room', async () => {
    const { self, others, containers, latencies } = await hosts[0]!.outlook();
    deepEqual([self.name, self.site, others[0]!.name, others[0]!.site], ['ada', 'adas', 'bob', 'bobs']);
    for (const { cpus, freeCpus, memory, freeMemory } of [self, ...others]) {
      ok(cpus > 0 && freeCpus >= 0 && memory >= freeMemory && freeMemory > 0);
    }
    deepEqual([containers, latencies], [[], {}]);
  });

  it('is how far each site is from a user', async () => {
    const sites = async (user: string) => Object.keys((await hosts[0]!.outlook({ user })).latencies).sort();
    await eventually(async () => (await sites('bob')).join(), 'adas,bobs', 30_000);
    equal((await hosts[0]!.outlook({ user: 'bob' })).latencies.bobs, 0);
    deepEqual(await sites(address), ['adas', 'bobs']);
    await rejects(hosts[0]!.outlook({ user: 'nobody' }), { code: 'ERR_INVALID_ARGUMENT' });
  });

  it('is not asked of a host whose policy lets nobody place containers there', async function () {
    // Only root can write a policy that counts.
    if (process.getuid?.() !== 0) this.skip();
    const policy = folder.join('bob/policy.json');
    writeFileSync(policy, JSON.stringify({ peers: { containers: false } }), { mode: 0o644 });
    const sites = async () => Object.keys((await hosts[0]!.outlook({ user: address })).latencies).join();
    await eventually(sites, 'adas', 30_000);
    rmSync(policy);
    await eventually(sites, 'adas,bobs', 30_000);
  });
});

describe('how long a connection takes', () => {
  it('is measured to a host and a port', async () => {
    deepEqual(parseAddress('fog.example:80'), { host: 'fog.example', port: 80 });
    deepEqual(parseAddress('[::1]:8080'), { host: '::1', port: 8080 });
    for (const text of ['fog.example', ':80', 'fog:0', 'fog:70000', 'a b:80', '::1:80']) {
      equal(parseAddress(text), undefined, text);
    }
    await rejects(new ConnectTime().measure('fog'), { code: 'ERR_INVALID_ARGUMENT' });
  });

  it('counts a refusal as an answer, and is not measured without end', async () => {
    let now = 0;
    const time = new ConnectTime(() => now);
    const port = await freePort();
    ok((await time.measure(`127.0.0.1:${port}`))! >= 0);
    const found: (number | null)[] = [];
    for (let count = 1; count <= 25; count += 1) found.push(await time.measure(`127.0.0.${count}:${port}`));
    const measured = found.filter((ms) => ms !== null).length;
    // The first one was known.
    equal(measured, 20);
    equal(await time.measure(`127.0.0.1:${port}`), found[0], 'what is known costs nothing');
    now = 10_000;
    ok((await time.measure(`127.0.0.25:${port}`)) !== null);
  });
});
