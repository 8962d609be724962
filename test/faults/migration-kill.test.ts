import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describeWithCriu } from '../container/move/support';
import { type HostName, TwoHosts } from '../migration/support/two-hosts';

/** The moments at which a host is killed: when it has noted a step; some lose their index, too. */
const MOMENTS: [HostName, string, string, 'lost'?][] = [
  ['ada', 'migration-source', 'preparing'],
  ['bob', 'migration-target', 'preparing'],
  ['ada', 'migration-source', 'offered'],
  ['bob', 'migration-target', 'accepted'],
  ['bob', 'migration-target', 'running'],
  ['ada', 'migration-source', 'released'],
  ['ada', 'migration-source', 'offered', 'lost'],
  ['bob', 'migration-target', 'accepted', 'lost'],
];

describeWithCriu('kill -9 of a host while a container moves', function () {
  this.timeout(180_000);
  let hosts: TwoHosts;

  before(async () => {
    hosts = await TwoHosts.start();
  });
  afterEach(() => hosts?.clear('counter'));
  after(() => hosts?.stop());

  /** Waits until a host has noted the step, or the migration is over. */
  async function untilStep(
    host: HostName,
    kind: string,
    step: string,
    over: Promise<unknown>,
  ): Promise<boolean> {
    const database = new Database(`${hosts.data(host)}/garua.db`, { readonly: true });
    const statement = database.prepare('SELECT step FROM journal WHERE kind = ?');
    let ended = false;
    void over.then(() => {
      ended = true;
    });
    try {
      while (!ended) {
        if (statement.all(kind).some((row) => (row as { step: string }).step === step)) return true;
        await delay(1);
      }
      return false;
    } finally {
      database.close();
    }
  }

  async function untilOneRuns(): Promise<HostName> {
    const end = performance.now() + 90_000;
    let seen = '';
    while (performance.now() < end) {
      const found: string[] = [];
      for (const host of ['ada', 'bob'] as const) {
        const all = await hosts.ps(host).catch(() => []);
        found.push(...all.map(({ state }) => `${host} ${state}`));
      }
      seen = found.join(', ');
      if (/^(ada|bob) running$/.test(seen)) return seen.split(' ')[0] as HostName;
      await delay(300);
    }
    throw new Error(`not settled: ${seen}`);
  }

  for (const [host, kind, step, lost] of MOMENTS) {
    it(`leaves one copy that goes on: ${host} at ${step}${lost ? ', which loses its index' : ''}`, async () => {
      await hosts.count('counter');
      const call = hosts.ask('ada', (all) => all.migrate('counter', { to: 'bob' })).catch(() => {});
      const reached = await untilStep(host, kind, step, call);
      await hosts.kill(host);
      if (lost)
        for (const end of ['', '-wal', '-shm']) rmSync(`${hosts.data(host)}/garua.db${end}`, { force: true });
      await hosts.daemon(host);
      await call;
      await hosts.met();
      await untilOneRuns();
      await hosts.counts(3);
      const numbers = hosts.numbers();
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index + 1),
        'a number is missing or came twice',
      );
      if (!reached) console.log(`      (${step} was over too soon to be met)`);
    });
  }
});
