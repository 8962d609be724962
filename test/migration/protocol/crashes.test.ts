import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { MigrationMode } from '../../../lib/migration/protocol';
import { temporaryFolder } from '../../support/temporary';
import { Machine } from './machine';

describe('who runs a container after a crash', () => {
  const folder = temporaryFolder();
  let number = 0;

  interface Pair {
    near: Machine;
    far: Machine;
    /** Moments in which two copies ran. */
    doubles: string[];
    mode: MigrationMode;
    result: Promise<unknown>;
  }

  function pair(mode: MigrationMode): Pair {
    number += 1;
    const doubles: string[] = [];
    const machines: Machine[] = [];
    const onChange = () => {
      const [near, far] = machines;
      if (mode !== 'elastic' && near?.active && far?.active) doubles.push(near.trace.at(-1) ?? '');
    };
    for (const name of ['near', 'far'])
      machines.push(new Machine(name, folder.join(`${name}${number}.db`), onChange));
    const [near, far] = machines as [Machine, Machine];
    near.peer = far;
    far.peer = near;
    near.copy = { running: true, frozen: false, whole: true, moving: null };
    return { near, far, doubles, mode, result: Promise.resolve() };
  }

  /** Migrates until all is quiet, that is until both have crashed or the call has ended. */
  async function run({ near, far, mode }: Pair): Promise<void> {
    const call = near.move(mode).catch(() => {});
    let quiet = 0;
    let passed = -1;
    const ended = call.then(() => true);
    while (quiet < 3) {
      if (await Promise.race([ended, delay(3, false)])) break;
      quiet = passed === near.passed + far.passed ? quiet + 1 : 0;
      passed = near.passed + far.passed;
    }
  }

  async function settle({ near, far }: Pair): Promise<void> {
    for (let attempt = 0; attempt < 6 && !(attempt > 1 && isQuiet(near, far)); attempt += 1) {
      for (const machine of attempt % 2 ? [near, far] : [far, near]) {
        machine.restart();
        await Promise.race([machine.recover().catch(() => {}), delay(50)]);
        // A source that lost its power knows nothing of the attempt, and is silent.
        if (attempt > 2) await machine.target.abandon('m1').catch(() => {});
      }
    }
  }

  const isQuiet = (...machines: Machine[]) =>
    machines.every(
      ({ up, copy, ledger }) =>
        up && !copy?.moving && ledger.leaving().length === 0 && ledger.arriving().length === 0,
    );

  function checkOne({ near, far, doubles }: Pair, what: string): void {
    const state = JSON.stringify({ near: near.copy, far: far.copy, doubles });
    assert.equal(Number(near.active) + Number(far.active), 1, `${what}: ${state}`);
    assert.equal(near.copy === undefined, far.copy !== undefined, `${what}: ${state}`);
    assert.ok((near.copy ?? far.copy)!.whole, `${what}: ${state}`);
    assert.equal((near.copy ?? far.copy)!.moving, null, `${what}: ${state}`);
    assert.deepEqual(doubles, [], `${what}: ${state}`);
    const left = [near, far].flatMap(({ ledger }) => [...ledger.leaving(), ...ledger.arriving()]);
    assert.deepEqual(left, [], what);
  }

  const close = ({ near, far }: Pair) => {
    near.close();
    far.close();
  };

  for (const mode of ['live', 'cold', 'elastic'] as const) {
    it(`is one host, wherever either crashes (${mode})`, async function () {
      this.timeout(120_000);
      const whole = pair(mode);
      await run(whole);
      checkOne(whole, 'no crash');
      assert.ok(whole.far.active);
      const points = { near: whole.near.passed, far: whole.far.passed };
      close(whole);
      assert.ok(points.near > 15 && points.far > 10, JSON.stringify(points));
      for (let near = 0; near <= points.near; near += 1) {
        // Of the pairs, each eleventh: all of them take a minute, and were tried once.
        const [first, step] = near === 0 ? [0, 1] : [near % 11, mode === 'live' ? 11 : points.far];
        for (let far = first; far <= points.far; far += step) {
          const crashed = pair(mode);
          crashed.near.crashAt = near;
          crashed.far.crashAt = far;
          await run(crashed);
          await settle(crashed);
          const at = `${whole.near.trace[near - 1]} and ${whole.far.trace[far - 1]}`;
          checkOne(crashed, `${mode}, crash at ${near}/${far} (${at})`);
          close(crashed);
        }
      }
    });
  }

  it('is one host, wherever either loses its power', async function () {
    this.timeout(120_000);
    for (const mode of ['live', 'elastic'] as const) {
      const whole = pair(mode);
      await run(whole);
      const points = { near: whole.near.passed, far: whole.far.passed };
      close(whole);
      const cuts = [
        ...Array.from({ length: points.near }, (_, at) => [at + 1, 0]),
        ...Array.from({ length: points.far }, (_, at) => [0, at + 1]),
      ];
      // Both at once, at some moments.
      for (let far = 2; far <= points.far; far += 4) cuts.push([(3 * far) % points.near, far]);
      const step = mode === 'elastic' ? 4 : 1;
      for (const [near, far] of cuts.filter((_, index) => index % step === 0) as [number, number][]) {
        const cut = pair(mode);
        cut.near.crashAt = near;
        cut.far.crashAt = far;
        await run(cut);
        cut.near.losePower();
        cut.far.losePower();
        await settle(cut);
        const at = `${whole.near.trace[near - 1]} and ${whole.far.trace[far - 1]}`;
        checkOne(cut, `${mode}, power cut at ${near}/${far} (${at})`);
        close(cut);
      }
    }
  });

  it('is the source when it does not come up at the target', async () => {
    const failing = pair('live');
    failing.far.restoreFails = true;
    const result = await failing.near.move('live');
    assert.equal(result.outcome, 'rolled-back');
    assert.match(result.error!.message, /cannot be restored/);
    checkOne(failing, 'restore fails');
    assert.ok(failing.near.active);
    close(failing);
  });

  it('waits for a target that cannot be asked, until somebody says where it runs', async () => {
    for (const where of ['here', 'there'] as const) {
      const lost = pair('live');
      // It goes down right after the container has been restored there.
      await run(lost);
      const point = lost.far.trace.indexOf('after restore') + 1;
      close(lost);
      const doubt = pair('live');
      doubt.far.crashAt = point;
      await assert.rejects(doubt.near.move('live'), { code: 'ERR_MIGRATION_IN_DOUBT' });
      await doubt.near.recover();
      assert.equal(doubt.near.active, false);
      assert.equal(doubt.near.source.inDoubt().length, 1);
      await assert.rejects(doubt.near.source.resolve('other', where), {
        code: 'ERR_MIGRATION_NOTHING_TO_RESOLVE',
      });
      await doubt.near.source.resolve('counter', where);
      assert.equal(doubt.near.active, where === 'here');
      doubt.doubles.length = 0;
      // Back again, it finds its copy out of date, or wanted.
      await settle(doubt);
      doubt.doubles.length = 0;
      checkOne(doubt, where);
      assert.equal(doubt.near.active, where === 'here');
      close(doubt);
    }
  });

  it('never starts what is out of date', async () => {
    const old = pair('live');
    await old.near.move('live', 5);
    assert.ok(old.far.active);
    old.near.copy = { running: true, frozen: false, whole: true, moving: null };
    const again = await old.near.move('live', 5);
    assert.equal(again.error!.code, 'ERR_MIGRATION_STALE');
    const late = { id: 'late', name: 'counter', mode: 'live', from: 'near', to: 'far', fence: 9 } as const;
    assert.equal(await old.far.target.decide(late), 'aborted');
    assert.throws(() => old.far.target.run(late), { code: 'ERR_MIGRATION_STALE' });
    close(old);
  });
});
