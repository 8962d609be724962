import { readdirSync, rmSync } from 'node:fs';
import { freePort } from '../support/registry';
import { temporaryFolder } from '../support/temporary';
import { eventually, MeshProcess } from './support/mesh-process';

/** Milliseconds; processes that start together on a small machine take their time. */
const PATIENCE = 60_000;

describe('a fog one of whose inviters was revoked', function () {
  this.timeout(180_000);
  // Before the folder goes, which is the next hook.
  after(() => Promise.all(hosts.map((host) => host.kill())));
  const folder = temporaryFolder();
  const make = (name: string) =>
    new MeshProcess({ data: folder.join(name), name, site: 'here', listen: ['/ip4/127.0.0.1/tcp/0'] });
  const hosts = ['ada', 'bob', 'cyd', 'dan'].map(make) as [
    MeshProcess,
    MeshProcess,
    MeshProcess,
    MeshProcess,
  ];
  const [ada, bob, cyd, dan] = hosts;

  it('comes together again when all restart at once elsewhere, and the revoked host stays out', async () => {
    await Promise.all(hosts.map((host) => host.start()));
    await ada.createFog('city');
    await bob.join(await ada.invite({ admin: true }));
    const invite = await bob.invite({ uses: 2 });
    for (const host of [cyd, dan]) await host.join(invite);
    for (const host of hosts) await eventually(() => host.names(), 'ada bob cyd dan', PATIENCE);
    await dan.kill();
    await ada.revoke('bob');
    await eventually(() => cyd.names(), 'ada cyd', PATIENCE);
    await Promise.all(hosts.map((host) => host.kill()));

    // All that cyd has left is its own membership, which bob vouches for; dan has not heard of the revocation.
    for (const name of readdirSync(cyd.options.data)) {
      if (name.startsWith('garua.db')) rmSync(`${cyd.options.data}/${name}`);
    }
    for (const host of hosts) host.options.listen = [`/ip4/127.0.0.1/tcp/${await freePort()}`];
    for (const host of hosts) host.options.join = ada.options.listen!;
    await Promise.all(hosts.map((host) => host.start()));
    for (const host of [ada, cyd, dan]) await eventually(() => host.names(), 'ada cyd dan', PATIENCE);
    for (const host of [ada, cyd, dan]) {
      await eventually(
        async () => (await host.hosts()).map(({ name }) => name).join(' '),
        'ada cyd dan',
        PATIENCE,
      );
    }
    await eventually(() => bob.names(), 'bob', PATIENCE);
  });
});
