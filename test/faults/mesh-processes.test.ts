import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, MeshProcess } from '../mesh/support/mesh-process';
import { temporaryFolder } from '../support/temporary';

const LOOPBACK = ['/ip4/127.0.0.1/tcp/0'];
const NAMES = ['ada', 'bob', 'cyd', 'dan', 'eve'];
const ALL = NAMES.join(' ');

describe('a fog of five hosts, each in its own process', () => {
  const folder = temporaryFolder();
  const hosts: MeshProcess[] = [];
  const [ada, bob, cyd, dan, eve] = NAMES.map((name) => {
    const host = new MeshProcess({
      data: join(folder.path, name),
      name,
      site: name < 'c' ? 'north' : 'south',
      listen: LOOPBACK,
    });
    hosts.push(host);
    return host;
  }) as [MeshProcess, MeshProcess, MeshProcess, MeshProcess, MeshProcess];

  before(() => Promise.all(hosts.map((host) => host.start())));
  after(() => Promise.all(hosts.map((host) => host.kill())));

  const everybodySees = (names: string, who = hosts) =>
    Promise.all(who.map((host) => eventually(() => host.names(), names)));

  it('forms by one invite of four uses, and everybody comes to know everybody', async () => {
    const fog = await ada.createFog('city');
    assert.equal(fog.name, 'city');
    const invite = await ada.invite({ uses: 4 });
    assert.match(invite, /^\S+$/);
    for (const host of [bob, cyd, dan, eve])
      assert.equal((await host.join(invite)).fingerprint, fog.fingerprint);
    await everybodySees(ALL);
    const seen = (await eve.hosts()).find((host) => host.name === 'bob')!;
    assert.equal(seen.site, 'north');
    assert.equal(seen.peerId, bob.peerId);
    assert.ok(seen.rttMs! > 0 && seen.abilities!.cpus > 0 && seen.load!.freeMemory > 0);
    assert.match(seen.addresses[0]!, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/);

    const late = await MeshProcess.start({
      data: join(folder.path, 'late'),
      name: 'late',
      site: 'x',
      listen: LOOPBACK,
    });
    hosts.push(late);
    await assert.rejects(late.join(invite), { code: 'ERR_MESH_INVITE_USED_UP' });
    assert.equal(await late.fog(), null);
    for (const host of hosts) assert.ok(!host.noise.includes(invite.slice(20, 60)), 'the invite was logged');
    await late.close();
    hosts.pop();
  });

  it('lets only hosts with the ability invite and revoke', async () => {
    await assert.rejects(bob.invite(), { code: 'ERR_MESH_NOT_ALLOWED' });
    await assert.rejects(bob.revoke('eve'), { code: 'ERR_MESH_NOT_ALLOWED' });
    await assert.rejects(ada.revoke('nobody'), { code: 'ERR_MESH_HOST_NOT_FOUND' });
  });

  it('finds an object through the DHT', async () => {
    const cid = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
    await bob.ask('provide', cid);
    assert.deepEqual(await dan.ask('providers', cid), [bob.peerId]);
  });

  it('takes back a host that was killed, and all of them when all restart together', async () => {
    await bob.kill();
    await everybodySees('ada cyd dan eve', [ada, cyd, dan, eve]);
    await bob.start();
    await everybodySees(ALL);
    await Promise.all(hosts.map((host) => host.kill()));
    await Promise.all(hosts.map((host) => host.start()));
    await everybodySees(ALL);
    assert.equal(await cyd.ask('call', 'dan', 'test.echo', 'still here'), 'still here');
  });

  it('takes back a host that lost its database', async () => {
    await cyd.kill();
    for (const name of readdirSync(cyd.options.data)) {
      if (name.startsWith('garua.db')) rmSync(join(cyd.options.data, name));
    }
    // Its new port is one more thing that the others must learn.
    await cyd.start();
    await everybodySees(ALL);
    const addresses = async (host: MeshProcess) =>
      (await host.hosts()).find(({ name }) => name === 'cyd')!.addresses.join();
    await eventually(() => addresses(eve), await addresses(cyd));
  });

  it('shuts a revoked host out everywhere within seconds, also where the revocation came late', async () => {
    await dan.close();
    await ada.revoke('eve');
    await everybodySees('ada bob cyd', [ada, bob, cyd]);
    for (const host of [ada, bob, cyd]) {
      assert.ok(!(await host.hosts()).some(({ name }) => name === 'eve'));
      await assert.rejects(eve.ask('call', host.peerId, 'test.echo', 1), { code: 'ERR_MESH_UNREACHABLE' });
      await assert.rejects(host.ask('call', eve.peerId, 'test.echo', 1), { code: 'ERR_MESH_HOST_NOT_FOUND' });
    }
    await dan.start();
    await eventually(async () => (await dan.hosts()).some(({ name }) => name === 'eve'), false);
    await eventually(() => dan.names(), 'ada bob cyd dan');
    await eve.kill();
    await eve.start();
    await eventually(() => eve.names(), 'eve');
    // A new invite does not help it either.
    await assert.rejects(eve.join(await ada.invite()), { code: 'ERR_MESH_ALREADY_MEMBER' });
  });
});
