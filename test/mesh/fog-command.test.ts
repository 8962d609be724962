import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { garuaJson, garua as run, spawnGarua } from '../support/garua';
import { temporaryFolder } from '../support/temporary';
import { eventually } from './support/mesh-process';

describe('garua fog and garua sites', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const daemons: ChildProcess[] = [];
  const garua = (host: string, ...words: string[]) => run(folder.join(host), ...words);
  const json = <T>(host: string, ...words: string[]) => garuaJson<T>(folder.join(host), ...words);

  async function daemon(name: string, site: string): Promise<void> {
    const words = ['host', '--name', name, '--site', site, '--listen', '/ip4/127.0.0.1/tcp/0'];
    const { child } = spawnGarua(folder.join(name), words);
    daemons.push(child);
    await once(child.stderr!, 'data');
  }

  after(async () => {
    for (const child of daemons) {
      if (child.exitCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    }
  });

  const states = async (name: string) => {
    const sites = await json<{ site: string; hosts: { name: string; state: string }[] }[]>(name, 'sites');
    return sites
      .map(({ site, hosts }) => `${site}:${hosts.map((host) => `${host.name}=${host.state}`)}`)
      .join(' ');
  };

  it('make a fog of two daemons and shut one out again', async () => {
    await daemon('ada', 'north');
    await daemon('bob', 'south');
    assert.equal(await states('ada'), 'north:ada=up');
    assert.match((await garua('ada', 'fog', 'invite')).stderr, /^error ERR_MESH_NO_FOG: /);

    const fog = await json<{ name: string; addresses: string[] }>('ada', 'fog', 'create', 'city');
    assert.equal(fog.name, 'city');
    const invite = (await garua('ada', 'fog', 'invite')).stdout;
    assert.match(invite, /^garua-invite-1-\S+\n$/);
    const joined = await garua('bob', 'fog', 'join', invite.trim());
    assert.equal(joined.status, 0, joined.stderr);
    for (const name of ['ada', 'bob']) await eventually(() => states(name), 'north:ada=up south:bob=up');
    const [north] = await json<{ hosts: Record<string, unknown>[] }[]>('bob', 'sites');
    const [ada] = north!.hosts;
    assert.deepEqual(Object.keys(ada!), 'name peerId addresses rttMs state arch cpus freeMemory'.split(' '));
    assert.ok((ada!.rttMs as number) > 0 && (ada!.cpus as number) > 0 && (ada!.freeMemory as number) > 0);

    const refused = await garua('bob', 'fog', 'revoke', 'ada');
    assert.deepEqual([refused.status, refused.stderr.slice(0, 28)], [1, 'error ERR_MESH_NOT_ALLOWED: ']);
    const revoked = await garua('ada', 'fog', 'revoke', 'bob');
    assert.equal(revoked.stdout, 'bob is shut out\n');
    await eventually(() => states('ada'), 'north:ada=up');
    assert.match((await garua('ada', 'sites')).stdout, /^SITE +HOST +STATE/);
  });

  it('need no daemon, and keep the names that a daemon was given', async () => {
    const fog = await json<{ host: string; site: string }>('ada', 'fog', 'show');
    assert.deepEqual([fog.host, fog.site], ['ada', 'north']);
    const alone = await json<{ name: string }>('cyd', 'fog', 'create');
    assert.equal(alone.name, 'fog');
    assert.match((await garua('cyd', 'fog', 'invite')).stdout, /^garua-invite-1-/);
    assert.equal((await garua('cyd', 'fog', 'create')).status, 1);
  });

  it('say what is wrong with the words', async () => {
    for (const words of [
      ['fog'],
      ['fog', 'join'],
      ['fog', 'dance'],
      ['fog', 'invite', 'x'],
      ['sites', 'x'],
    ]) {
      assert.equal((await garua('none', ...words)).status, 2, words.join(' '));
    }
    const bad = await garua('none', 'fog', 'join', 'garua-invite-1-c2VjcmV0');
    assert.match(bad.stderr, /^error ERR_MESH_INVITE_INVALID: /);
    assert.ok(!bad.stderr.includes('c2VjcmV0'));
  });
});
