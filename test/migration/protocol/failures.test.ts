import assert from 'node:assert/strict';
import { openDatabase } from '../../../lib/base';
import type { Arrival } from '../../../lib/container';
import { MigrationLedger, type Ticket } from '../../../lib/migration/protocol';
import { checkTicket } from '../../../lib/migration/protocol/check-ticket';
import { TargetRecovery } from '../../../lib/migration/protocol/target-recovery';
import { temporaryFolder } from '../../support/temporary';
import { Machine } from './machine';

const ticket = (change: object = {}): Ticket => ({
  ...{ id: 'm1', name: 'counter', mode: 'live', from: 'near', to: 'far', fence: 1 },
  ...change,
});

describe('a migration in which something fails', () => {
  const folder = temporaryFolder();
  let number = 0;
  let near: Machine;
  let far: Machine;

  beforeEach(() => {
    number += 1;
    [near, far] = ['near', 'far'].map(
      (name) => new Machine(name, folder.join(`${name}${number}.db`), () => {}),
    ) as [Machine, Machine];
    near.peer = far;
    far.peer = near;
    near.copy = { running: true, frozen: false, whole: true, moving: null };
  });

  afterEach(() => {
    near.close();
    far.close();
  });

  function runsAt(here: Machine, there: Machine): void {
    assert.deepEqual(here.copy, { running: true, frozen: false, whole: true, moving: null });
    assert.equal(there.copy, undefined);
    for (const { ledger } of [here, there]) assert.equal(ledger.unsettled, false);
  }

  it('goes on at the source when it could not even be noted, or offered', async () => {
    for (const [fence, step] of ['beginSource', 'offer', 'sync'].entries()) {
      near.fails.add(step);
      const result = await near.move('live', fence + 1);
      near.fails.clear();
      assert.equal(result.outcome, 'rolled-back', step);
      assert.match(result.error!.message, new RegExp(`${step} failed`));
      runsAt(near, far);
    }
    assert.equal((await near.move('live', 9)).outcome, 'moved');
    runsAt(far, near);
  });

  it('has moved when only what is left at the source could not be removed, which is tried again', async () => {
    near.fails.add('release');
    const result = await near.move('live');
    assert.equal(result.outcome, 'moved');
    assert.match(result.warning!.message, /release failed/);
    assert.equal(result.error, undefined);
    assert.ok(far.active && !near.active);
    near.fails.clear();
    await near.recover();
    runsAt(far, near);
  });

  it('lets it go on at the source as soon as that is possible again', async () => {
    far.restoreFails = true;
    near.fails.add('resume');
    const result = await near.move('live');
    assert.match(result.error!.message, /resume failed/);
    assert.equal(near.active, false);
    near.fails.clear();
    await near.recover();
    runsAt(near, far);
  });

  it('leaves no container half arrived, whatever of it fails at the target', async () => {
    far.fails.add('commit');
    assert.equal((await near.move('live')).outcome, 'moved');
    assert.equal(far.copy!.moving!.role, 'arriving');
    await far.recover();
    assert.ok(far.ledger.unsettled, 'forgotten');
    far.fails.clear();
    await far.recover();
    runsAt(far, near);

    [near, far] = [far, near];
    far.restoreFails = true;
    far.fails.add('abort');
    await assert.rejects(near.move('live', 2), { code: 'ERR_MIGRATION_IN_DOUBT' });
    await far.recover();
    assert.equal(far.copy!.moving!.role, 'arriving');
    far.fails.clear();
    await far.recover();
    await near.recover();
    runsAt(near, far);
  });

  it('does not run after a crash what may lack the state that it was to import', async () => {
    await near.move('elastic');
    const point = far.trace.indexOf('after probe') + 1;
    const [here, there] = ['here', 'there'].map(
      (name) => new Machine(name, folder.join(`${name}${number}.db`), () => {}),
    ) as [Machine, Machine];
    here.peer = there;
    there.peer = here;
    here.copy = { running: true, frozen: false, whole: true, moving: null };
    there.crashAt = point;
    await here.move('elastic').catch(() => {});
    assert.ok(there.copy!.running && here.active);
    there.restart();
    await there.recover();
    await here.recover();
    runsAt(here, there);
    here.close();
    there.close();
  });

  it('does not stand still for longer than it may when the line hangs', async () => {
    near.hangs = 'pages';
    const result = await near.move('live', 1, { standstillMs: 50 });
    assert.equal(result.error!.code, 'ERR_MIGRATION_STANDSTILL');
    runsAt(near, far);
  });

  it('can be given up while the line hangs', async () => {
    near.hangs = 'files';
    const signal = AbortSignal.timeout(50);
    await assert.rejects(near.move('live', 1, { signal }), { code: 'ERR_ABORTED' });
    runsAt(near, far);
  });

  it('says when an application exports more than can go along', async () => {
    const exportState = async () => Buffer.alloc(3 << 20);
    const result = await near.move('elastic', 1, { exportState });
    assert.equal(result.error!.code, 'ERR_MIGRATION_STATE_TOO_LARGE');
    runsAt(near, far);
  });

  it('is refused when its ticket is none', () => {
    assert.deepEqual(checkTicket({ ...ticket(), more: 1 }, 'near', 'far'), ticket());
    const bad = [
      ...[
        null,
        'm1',
        ticket({ id: '../m1' }),
        ticket({ id: 7 }),
        ticket({ id: '' }),
        ticket({ name: '../x' }),
      ],
      ...[
        ticket({ name: undefined }),
        ticket({ mode: 'fast' }),
        ticket({ from: 'other' }),
        ticket({ to: 'near' }),
      ],
      ...[1e308, 1.5, 0, -1, '5', null].map((fence) => ticket({ fence })),
    ];
    for (const one of bad) {
      assert.throws(() => checkTicket(one, 'near', 'far'), { code: 'ERR_MIGRATION_TICKET_INVALID' });
    }
  });

  it('cannot use up the numbers of a name', async () => {
    const far9 = ticket({ id: 'm9', fence: Number.MAX_SAFE_INTEGER });
    await assert.rejects(far.target.decide(far9), { code: 'ERR_MIGRATION_STALE' });
    const request = { ticket: far9, record: {} as never, address: null, start: 'fresh', memory: 0 } as const;
    await assert.rejects(far.target.prepare(request), { code: 'ERR_MIGRATION_STALE' });
    assert.equal(far.ledger.fence('counter'), 0);
    assert.equal(far.target.knows(far9), false);
  });

  it('stands in no other one’s way', async () => {
    const database = openDatabase(folder.join('recovery.db'));
    const ledger = new MigrationLedger(database);
    for (const [index, id] of ['bad', 'worse', 'good'].entries()) {
      const attempt = ledger.beginTarget(ticket({ id, name: id, fence: index + 1 }));
      ledger.locate(attempt, id);
      ledger.advance(attempt, id === 'worse' ? 'running' : 'accepted');
    }
    const ended: string[] = [];
    const arrival = async (id: string): Promise<Arrival | undefined> => {
      if (id === 'bad') throw new Error('its record cannot be read');
      if (id === 'worse') return undefined;
      const probe = () => Promise.reject(new Error('it does not run'));
      return { probe, abort: async () => ended.push(`abort ${id}`) } as unknown as Arrival;
    };
    const discard = async (id: string) => void ended.push(`discard ${id}`);
    const link = () => ({ outcome: async () => 'kept' as const });
    const recovery = new TargetRecovery({ ledger, arrival, discard, link }, () => false);
    await recovery.recover();
    await recovery.settle();
    assert.deepEqual(ended, ['abort good', 'discard worse']);
    assert.deepEqual(
      ledger.arriving().map((attempt) => attempt.ticket.id),
      ['bad'],
    );
    database.close();
  });
});
