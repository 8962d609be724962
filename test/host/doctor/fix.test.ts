import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckResult, findAll } from '../../../lib/host/doctor';
import { applyFixes, undoFixes } from '../../../lib/host/tuning';
import { withMemoryCgroup } from '../../../lib/host/tuning/kernel-command-line';
import { type FixtureMachine, fixtureMachines } from './fixture-machine';

const DATA = '/var/lib/garua';
const CMDLINE = '/boot/firmware/cmdline.txt';
const SYSCTL = '/etc/sysctl.d/60-garua.conf';

describe('doctor --fix', () => {
  const make = fixtureMachines();

  async function look(machine: FixtureMachine): Promise<Map<string, CheckResult>> {
    return new Map((await findAll({ dataDirectory: DATA, machine })).map((found) => [found.id, found]));
  }

  async function fix(machine: FixtureMachine) {
    return applyFixes(await findAll({ dataDirectory: DATA, machine }), { dataDirectory: DATA, machine });
  }

  const undo = (machine: FixtureMachine) => undoFixes({ dataDirectory: DATA, machine });

  it('mends what is safe on a Pi 5 with zram and SSD, once, and takes it back', async () => {
    const machine = make('pi-5');
    const before = machine.files();
    const fixed = await fix(machine);
    assert.deepEqual(fixed.map(({ id }) => id).sort(), ['memory-cgroup', 'swappiness', 'trim']);
    assert.equal((await machine.read('/proc/sys/vm/swappiness'))!.trim(), '100');
    assert.match((await machine.read(SYSCTL))!, /^vm\.swappiness = 100$/m);
    const line = (await machine.read(CMDLINE))!;
    assert.equal(line, `${before[CMDLINE]!.trimEnd()} cgroup_enable=memory cgroup_memory=1\n`);
    assert.equal(await machine.read(`${CMDLINE}.before-garua`), before[CMDLINE]);
    assert.deepEqual(machine.commands, ['systemctl enable --now fstrim.timer']);
    for (const { undo: words } of fixed) assert.notEqual(words, '');

    const after = await look(machine);
    assert.deepEqual([after.get('swappiness')!.status, after.get('trim')!.status], ['ok', 'ok']);
    assert.match(after.get('memory-cgroup')!.detail, /works after a reboot/);
    assert.deepEqual(await fix(machine), []);

    const undone = await undo(machine);
    assert.deepEqual(
      undone.map(({ id, kept }) => [id, kept]),
      fixed.toReversed().map(({ id }) => [id, []]),
    );
    assert.deepEqual(machine.files(), before);
    assert.deepEqual(await undo(machine), []);
  });

  it('does not make a card wear out', async () => {
    const machine = make('pi-3');
    const fixed = await fix(machine);
    assert.deepEqual(
      fixed.map(({ id }) => id),
      ['memory-cgroup'],
    );
    assert.match((await look(machine)).get('swappiness')!.fix!, /wear/);
    assert.equal(await machine.exists(SYSCTL), false);
    // The note that the file has moved is no command line.
    assert.match((await machine.read('/boot/cmdline.txt'))!, /^DO NOT EDIT/);
  });

  it('leaves what somebody has changed since', async () => {
    const machine = make('pi-5');
    await fix(machine);
    const mine = `${(await machine.read(CMDLINE))!.trimEnd()} quiet\n`;
    writeFileSync(join(machine.root, CMDLINE), mine);
    const undone = await undo(machine);
    assert.deepEqual(undone.find(({ id }) => id === 'memory-cgroup')!.kept, [CMDLINE]);
    assert.equal(await machine.read(CMDLINE), mine);
    assert.equal(await machine.exists(SYSCTL), false);
  });

  it('says which file overrules it instead of fighting it', async () => {
    const machine = make('pi-5');
    await machine.write('/etc/sysctl.conf', 'vm.swappiness=10\n');
    const fixed = await fix(machine);
    assert.equal(
      fixed.some(({ id }) => id === 'swappiness'),
      false,
    );
    assert.match((await look(machine)).get('swappiness')!.fix!, /\/etc\/sysctl\.conf/);
  });

  it('needs root, and changes nothing without', async () => {
    const machine = make('pi-5');
    machine.userId = 1000;
    const before = machine.files();
    await assert.rejects(fix(machine), { code: 'ERR_PERMISSION' });
    await assert.rejects(undo(machine), { code: 'ERR_PERMISSION' });
    assert.deepEqual(machine.files(), before);
  });

  it('refuses a record that it cannot read', async () => {
    const machine = make('pi-5');
    await fix(machine);
    writeFileSync(join(machine.root, DATA, 'tuning.json'), '{');
    await assert.rejects(undo(machine), { code: 'ERR_TUNING_RECORD' });
  });

  it('after a power cut at any step, finishes or takes back everything', async () => {
    const steps: string[] = [];
    const whole = make('pi-5');
    whole.beforeChange = (what) => steps.push(what);
    await fix(whole);
    const finished = whole.files();
    assert.ok(steps.length >= 8, steps.join('\n'));
    for (let cut = 0; cut < steps.length; cut += 1) {
      const machine = make('pi-5');
      const before = machine.files();
      let step = 0;
      const powerCut = () => {
        if (step++ === cut) throw new Error('power cut');
      };
      machine.beforeChange = powerCut;
      await assert.rejects(fix(machine), /power cut/);
      machine.beforeChange = () => {};
      const line = (await machine.read(CMDLINE))!;
      assert.ok(line === before[CMDLINE] || line === finished[CMDLINE], line);
      if (cut % 2 === 0) await fix(machine);
      await undo(machine);
      assert.deepEqual(machine.files(), before, `cut before ${steps[cut]}`);
    }
  });

  describe('the kernel command line', () => {
    const words = 'cgroup_enable=memory cgroup_memory=1';
    const cases: [string, string | undefined][] = [
      ['console=tty1 rootwait\n', `console=tty1 rootwait ${words}\n`],
      ['console=tty1 rootwait', `console=tty1 rootwait ${words}`],
      ['a cgroup_disable=memory b\n', `a b ${words}\n`],
      ['a cgroup_enable=memory\n', 'a cgroup_enable=memory cgroup_memory=1\n'],
      [`a ${words}\n`, `a ${words}\n`],
      ['console=tty1\nrootwait\n', undefined],
      ['console=tty1 rootwait\r\n', undefined],
      ['', undefined],
      ['\n', undefined],
    ];
    for (const [before, after] of cases) {
      it(`${JSON.stringify(before)} becomes ${JSON.stringify(after)}`, () => {
        assert.equal(withMemoryCgroup(before), after);
      });
    }

    it('that is more than one line is left to people', async () => {
      const machine = make('pi-5');
      rmSync(join(machine.root, CMDLINE));
      writeFileSync(join(machine.root, CMDLINE), 'console=tty1\nrootwait\n');
      await fix(machine);
      assert.equal(await machine.read(CMDLINE), 'console=tty1\nrootwait\n');
      assert.match((await look(machine)).get('memory-cgroup')!.detail, /not one line/);
    });
  });
});
