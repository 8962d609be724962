import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerStatus } from '../../lib';
import { eventually } from '../mesh/support/mesh-process';
import { TwoHosts } from '../migration/support/two-hosts';

const PATIENCE = 60_000;
const LOOP = ['sh', '-c', 'trap exit TERM; while :; do sleep 0.1; done'];

describe('a host whose index is damaged or lost while it is down', function () {
  this.timeout(180_000);
  let hosts: TwoHosts;
  let cid: string;
  const file = (name = '') => join(hosts.data('bob'), `garua.db${name}`);

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    hosts = await TwoHosts.start();
    await hosts.run('bob', { name: 'goes-on', command: LOOP });
    await hosts.run('bob', { name: 'comes-back', command: LOOP, restart: { policy: 'always' } });
    await hosts.run('bob', { name: 'stays-away', command: ['true'] });
    await eventually(async () => (await box('stays-away'))?.state, 'stopped');
    const object = join(hosts.path, 'object');
    writeFileSync(object, randomBytes(300_000));
    cid = (await hosts.ask('bob', (host) => host.put(object))).cid;
  });
  after(() => hosts?.stop());

  const box = async (name: string): Promise<ContainerStatus | undefined> =>
    (await hosts.ps('bob').catch(() => [])).find((one) => one.name === name);

  /** Ends the host, damages what it left, and starts it again; all that matters is there then. */
  async function survives(damage: () => void): Promise<void> {
    const before = await hosts.ps('bob');
    const pidOf = (name: string) => before.find((one) => one.name === name)!.pid!;
    await hosts.kill('bob');
    damage();
    process.kill(pidOf('comes-back'), 'SIGKILL');
    await hosts.daemon('bob');
    await eventually(async () => (await box('goes-on'))?.state, 'running', PATIENCE);
    assert.equal((await box('goes-on'))!.pid, pidOf('goes-on'));
    await eventually(async () => (await box('comes-back'))?.state, 'running', PATIENCE);
    assert.notEqual((await box('comes-back'))!.pid, pidOf('comes-back'));
    assert.equal((await box('stays-away'))!.state, 'stopped');
    await hosts.met();
    const [image] = await hosts.ask('bob', (host) => host.images());
    assert.equal(image!.ref, hosts.image);
    const { size } = await hosts.ask('bob', (host) => host.get(cid, null));
    assert.equal(size, 300_000);
  }

  const finding = async () => {
    const { checks } = await hosts.ask('bob', (host) => host.examine());
    return checks.find(({ id }) => id === 'index');
  };

  it('sets garbage aside, and finds members, images, containers and objects again', async () => {
    const garbage = randomBytes(64 << 10);
    await survives(() => {
      writeFileSync(file(), garbage);
      writeFileSync(file('-wal'), garbage);
    });
    const aside = readdirSync(hosts.data('bob')).filter((name) => name.startsWith('garua.db.corrupt-'));
    assert.equal(aside.length, 1);
    assert.ok(readFileSync(join(hosts.data('bob'), aside[0]!)).equals(garbage));
    const { status, detail } = (await finding())!;
    assert.equal(status, 'warn');
    assert.ok(detail.includes(aside[0]!), detail);
  });

  it('finds them also when it is gone', async () => {
    for (const name of readdirSync(hosts.data('bob'))) {
      if (name.includes('.corrupt-')) rmSync(join(hosts.data('bob'), name));
    }
    await survives(() => {
      for (const end of ['', '-wal', '-shm']) rmSync(file(end), { force: true });
    });
    assert.equal(await finding(), undefined);
  });
});
