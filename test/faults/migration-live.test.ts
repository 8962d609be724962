import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import type { MigrateOptions, MigrationPlan, MigrationResult } from '../../lib';
import { describeWithCriu } from '../container/move/support';
import { type HostName, TwoHosts } from '../migration/support/two-hosts';

const CLOSE = { headers: { connection: 'close' } };

/** `slow` answers after three seconds; `state` hands out what is in a file, and takes it. */
const SERVER = [
  'mkdir -p /www/cgi-bin; cd /www; echo hello > index.html',
  `printf '#!/bin/sh\\nsleep 3; printf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\nslow"\\n' > cgi-bin/slow`,
  `printf '#!/bin/sh\\nprintf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\n"
if [ $REQUEST_METHOD = POST ]; then head -c $CONTENT_LENGTH > /state; else cat /state; fi\\n' > cgi-bin/state`,
  'chmod +x cgi-bin/*; exec httpd -f -p 80 -h /www',
].join('; ');

describeWithCriu('migration between two hosts', function () {
  this.timeout(180_000);
  let hosts: TwoHosts;

  before(async () => {
    hosts = await TwoHosts.start();
  });
  afterEach(() => hosts?.clear('counter'));
  after(() => hosts?.stop());

  const move = (to: HostName, options: Partial<MigrateOptions> = {}) =>
    hosts.ask(to === 'bob' ? 'ada' : 'bob', async (host) => {
      const result = await host.migrate('counter', { to, ...options });
      return result as MigrationResult;
    });

  const planOf = (options: Partial<MigrateOptions> = {}) =>
    hosts.ask('ada', async (host) => {
      const plan = await host.migrate('counter', { to: 'bob', dryRun: true, ...options });
      return plan as MigrationPlan;
    });

  /** It has counted on, on one host only: no number is missing and none came twice. */
  async function countsOn(host: HostName): Promise<void> {
    await hosts.counts(5);
    const numbers = hosts.numbers();
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    );
    assert.deepEqual(
      (await hosts.ps(host)).map(({ state }) => state),
      ['running'],
    );
    assert.deepEqual(await hosts.ps(host === 'ada' ? 'bob' : 'ada'), []);
  }

  it('moves a container there and back: memory, files, volume and log go along', async () => {
    await hosts.count('counter', 'keep');
    await hosts.inside('ada', 'counter', 'echo kept > /keep/file; echo written > /file');
    const { status, stdout, stderr } = await hosts.garua(
      'ada',
      'migrate',
      'counter',
      '--to',
      'bob',
      '--json',
    );
    assert.equal(status, 0, stderr);
    const result = JSON.parse(stdout) as MigrationResult;
    assert.deepEqual(Object.keys(result), 'outcome address downtimeMs totalMs rounds bytesSent'.split(' '));
    assert.deepEqual([result.outcome, result.address], ['moved', 'none']);
    assert.ok(result.downtimeMs > 0 && result.downtimeMs <= result.totalMs, stdout);
    assert.ok(result.rounds.length >= 1 && result.bytesSent > 0, stdout);
    await countsOn('bob');
    assert.equal(await hosts.inside('bob', 'counter', 'cat /keep/file /file'), 'kept\nwritten\n');
    assert.match((await hosts.garua('bob', 'logs', 'counter')).stdout, /^count 1\ncount 2\n/);
    assert.deepEqual(await hosts.ask('ada', (host) => host.volumes()), []);
    assert.equal((await move('ada')).outcome, 'moved');
    await countsOn('ada');
  });

  it('moves it cold, with a checkpoint and without one', async () => {
    await hosts.count('counter');
    const result = await move('bob', { mode: 'cold' });
    assert.deepEqual([result.outcome, result.rounds], ['moved', []]);
    await countsOn('bob');
    await hosts.clear('counter');
    // A command that was sent into it and still runs cannot be checkpointed; files come along all the same.
    await hosts.count('counter');
    await hosts.inside('ada', 'counter', 'echo written > /file');
    const command = hosts.inside('ada', 'counter', 'exec sleep 600').catch(() => '');
    let problems: string[] = [];
    for (let tries = 0; tries < 50 && problems.length === 0; tries += 1) ({ problems } = await planOf());
    assert.match(problems.join(), /^a command was sent into it that still runs: sleep/);
    await assert.rejects(move('bob'), { code: 'ERR_MIGRATION_IMPOSSIBLE' });
    assert.equal((await move('bob', { mode: 'cold', graceMs: 100 })).outcome, 'moved');
    await command;
    assert.equal(await hosts.inside('bob', 'counter', 'cat /file'), 'written\n');
    assert.deepEqual(await hosts.ps('ada'), []);
    await hosts.counts(3);
    assert.equal(hosts.numbers().filter((number) => number === 1).length, 2, 'it was not started anew');
  });

  it('starts one more before it ends the old one in elastic mode, and hands its own state over', async () => {
    const labels = { 'garua.migrate.export': 'cat /state', 'garua.migrate.import': 'cat > /state' };
    await hosts.run('ada', { name: 'counter', labels, command: ['sh', '-c', 'while :; do sleep 0.1; done'] });
    await hosts.inside('ada', 'counter', 'echo learnt > /state');
    const result = await move('bob', { mode: 'elastic', graceMs: 0, drainMs: 100 });
    assert.deepEqual([result.outcome, result.downtimeMs], ['moved', 0]);
    assert.equal(await hosts.inside('bob', 'counter', 'cat /state'), 'learnt\n');
    assert.deepEqual(await hosts.ps('ada'), []);
  });

  it('loses no request in elastic mode: those under way end, and state goes along whatever bytes it has', async () => {
    await hosts.run('ada', {
      ...{ name: 'counter', network: 'bridge', service: 'counter', servicePort: 80 },
      labels: {
        'garua.migrate.export': 'http://:80/cgi-bin/state',
        'garua.migrate.import': 'http://:80/cgi-bin/state',
      },
      readiness: { http: 'http://:80/', intervalMs: 200 },
      command: ['sh', '-c', SERVER],
    });
    const { port } = await hosts.ask('ada', (host) => host.useService('counter'));
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`, CLOSE)).text();
    const sum = (host: HostName) => hosts.inside(host, 'counter', 'md5sum /state');
    await hosts.inside('ada', 'counter', 'head -c 100000 /dev/urandom > /state');
    const before = await sum('ada');
    assert.equal(await get('/'), 'hello\n');
    const slow = Array.from({ length: 5 }, () => get('/cgi-bin/slow'));
    let over = false;
    const answers: string[] = [];
    const asking = (async () => {
      while (!over) answers.push(await get('/').catch((error) => String(error.cause ?? error)));
    })();
    const result = await move('bob', { mode: 'elastic', graceMs: 0 });
    over = true;
    await asking;
    assert.equal(result.outcome, 'moved', JSON.stringify(result));
    assert.deepEqual(new Set(await Promise.all(slow)), new Set(['slow']));
    assert.deepEqual(new Set(answers), new Set(['hello\n']));
    assert.equal(await sum('bob'), before);
    assert.equal(await get('/'), 'hello\n');
    assert.deepEqual(await hosts.ps('ada'), []);
  });

  it('tells what would happen, moves nothing then, and refuses what cannot be', async () => {
    await hosts.count('counter');
    const plan = await planOf();
    assert.deepEqual([plan.possible, plan.problems, plan.fresh], [true, [], false]);
    assert.ok(plan.estimate.bytes > 0);
    await countsOn('ada');
    // Whoever has a policy must say that processes of others may come.
    const policy = `${hosts.data('bob')}/policy.json`;
    writeFileSync(policy, '{}', { mode: 0o644 });
    try {
      assert.match((await planOf()).problems.join(), /^taking in running processes is not allowed by/);
    } finally {
      rmSync(policy);
    }
    await hosts.run('bob', { name: 'counter', command: ['sleep', '600'] });
    assert.deepEqual((await planOf()).problems, ['there is a container named counter already']);
    const refused = await hosts.garua('ada', 'migrate', 'counter', '--to', 'bob');
    assert.match(
      refused.stderr,
      /^error ERR_MIGRATION_IMPOSSIBLE: .*there is a container named counter already/,
    );
    assert.equal(refused.status, 1);
    assert.equal((await hosts.ps('ada'))[0]!.state, 'running');
  });

  it('refuses what makes no sense', async () => {
    await hosts.count('counter');
    await hosts.ask('ada', async (host) => {
      await assert.rejects(host.migrate('nobody', { to: 'bob' }), { code: 'ERR_CONTAINER_NOT_FOUND' });
      await assert.rejects(host.migrate('counter', { to: 'ada' }), { code: 'ERR_MIGRATION_TO_SELF' });
      await assert.rejects(host.migrate('counter', { to: 'cyd' }), { code: 'ERR_MESH_HOST_NOT_FOUND' });
      const signal = AbortSignal.abort();
      await assert.rejects(host.migrate('counter', { to: 'bob', signal }), { code: 'ERR_ABORTED' });
      const resolving = host.resolveMigration('counter', 'here');
      await assert.rejects(resolving, { code: 'ERR_MIGRATION_NOTHING_TO_RESOLVE' });
    });
    for (const words of [
      ['counter'],
      ['counter', '--to', 'bob', '--mode', 'fast'],
      ['--resolve', 'counter', '--here', '--there'],
      ['counter', '--to', 'bob', '--here'],
    ]) {
      assert.equal((await hosts.garua('ada', 'migrate', ...words)).status, 2, words.join(' '));
    }
    const outcome = (call: Promise<MigrationResult>) =>
      call.then(
        (result) => result.outcome,
        (error) => error.code as string,
      );
    const both = await Promise.all([outcome(move('bob')), outcome(move('bob'))]);
    // The second may also have found it on its way.
    assert.ok(both.includes('moved') && both.some((one) => one.startsWith('ERR_')), String(both));
    await countsOn('bob');
  });
});
