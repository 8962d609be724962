import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { MigrateOptions, MigrationPlan, MigrationResult } from '../../lib';
import { describeWithCriu } from '../container/move/support';
import { type HostName, TwoHosts } from '../migration/support/two-hosts';
import { StandInCriu } from './support/stand-in-criu';

/** Of the disk of the host that containers move to, in MiB. */
const DISK = 96;

describeWithCriu('migrations that go wrong', function () {
  this.timeout(400_000);
  const criu = {} as Record<HostName, StandInCriu>;
  let hosts: TwoHosts;
  let filler: string;

  before(async () => {
    hosts = await TwoHosts.start((all, name) => {
      criu[name] = new StandInCriu(join(all.path, `programs-${name}`));
      if (name === 'bob') {
        mkdirSync(all.data(name));
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}m`, 'tmpfs', all.data(name)]);
        filler = join(all.data(name), 'filler');
      }
      return criu[name].environment;
    });
  });
  afterEach(async () => {
    for (const one of Object.values(criu)) one.restore();
    rmSync(filler, { force: true });
    await hosts?.clear('counter');
  });
  after(() => hosts?.stop());

  /** Ids of the containers that a host has, or is making ready. */
  const ids = (host: HostName) => readdirSync(join(hosts.data(host), 'containers'));

  const seen = new Set<string>();
  async function move(
    options: Partial<MigrateOptions> = {},
    from: HostName = 'ada',
  ): Promise<MigrationResult> {
    const to = from === 'ada' ? 'bob' : 'ada';
    const onProgress: MigrateOptions['onProgress'] = (progress) => {
      for (const id of [...ids('ada'), ...ids('bob')]) seen.add(id);
      options.onProgress?.(progress);
    };
    const outcome = await hosts.ask(from, (host) => host.migrate('counter', { to, ...options, onProgress }));
    return outcome as MigrationResult;
  }

  /** It has counted on at the first host all the time, and the other one has nothing of it. */
  async function staysWhole(): Promise<void> {
    await hosts.counts(3);
    const numbers = hosts.numbers();
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
      'a number is missing or came twice',
    );
    assert.deepEqual(
      (await hosts.ps('ada')).map(({ state }) => state),
      ['running'],
    );
    assert.deepEqual(await hosts.ps('bob'), []);
    assert.deepEqual(ids('bob'), []);
    assert.deepEqual(await hosts.ask('bob', (host) => host.volumes()), []);
    const images = [...seen].filter((id) => existsSync(`/dev/shm/garua-${id}`));
    assert.deepEqual(images, [], 'images of a checkpoint are left');
    // Nothing of this attempt stands in the way of the next.
    for (const one of Object.values(criu)) one.restore();
    rmSync(filler, { force: true });
    const plan = await hosts.ask('ada', (host) => host.migrate('counter', { to: 'bob', dryRun: true }));
    assert.deepEqual((plan as MigrationPlan).problems, []);
  }

  it('CRIU hangs at the first host, or fails at either', async () => {
    await hosts.count('counter', 'keep');
    criu.ada.pretend('fails');
    assert.equal((await move()).error?.code, 'ERR_CHECKPOINT_FAILED');
    await staysWhole();
    criu.ada.pretend('hangs');
    assert.equal((await move({ standstillMs: 3_000 })).error?.code, 'ERR_MIGRATION_STANDSTILL');
    await staysWhole();
    criu.bob.pretend('fails');
    assert.equal((await move()).error?.code, 'ERR_RESTORE_FAILED');
    await staysWhole();
  });

  it('the other host has an older CRIU, or none', async () => {
    await hosts.count('counter', 'keep');
    criu.bob.pretendVersion('3.1');
    await assert.rejects(move(), { code: 'ERR_MIGRATION_IMPOSSIBLE', message: /the older 3\.1/ });
    await staysWhole();
    criu.bob.hide();
    await assert.rejects(move(), { code: 'ERR_MIGRATION_IMPOSSIBLE', message: /CRIU is not installed/ });
    await staysWhole();
  });

  it('the disk of the other host has too little room, or gets full meanwhile', async () => {
    await hosts.count('counter', 'keep');
    const fill = (size: number) =>
      hosts.inside('ada', 'counter', `dd if=/dev/urandom of=/keep/big bs=1M count=${size}`);
    await fill(DISK + 10);
    await assert.rejects(move(), { code: 'ERR_MIGRATION_IMPOSSIBLE', message: /its files take/ });
    await fill(20);
    let full = false;
    const result = await move({
      onProgress({ phase }) {
        if (phase !== 'copying files' || full) return;
        full = true;
        try {
          execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1M'], { stdio: 'ignore' });
        } catch {
          // As full as it gets.
        }
      },
    });
    assert.deepEqual([full, result.outcome, result.error?.code], [true, 'rolled-back', 'ERR_DISK_FULL']);
    rmSync(filler);
    await staysWhole();
  });

  it('ten times to and fro', async () => {
    await hosts.count('counter', 'keep');
    for (let turn = 0; turn < 10; turn += 1) {
      const result = await move({}, turn % 2 === 0 ? 'ada' : 'bob');
      assert.equal(result.outcome, 'moved', JSON.stringify(result));
    }
    await staysWhole();
  });

  it('the image is not at the other host, and the registry is gone', async () => {
    await hosts.count('counter', 'keep');
    await hosts.ask('bob', (host) => host.prune());
    await hosts.withoutRegistry();
    const result = await move();
    assert.deepEqual([result.outcome, result.error?.code], ['rolled-back', 'ERR_REGISTRY_UNREACHABLE']);
    await staysWhole();
  });
});
