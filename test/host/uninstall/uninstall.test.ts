import assert from 'node:assert/strict';
import { findAll } from '../../../lib/host/doctor';
import { type ProgramSource, planSetup, runSteps } from '../../../lib/host/setup';
import { applyFixes } from '../../../lib/host/tuning';
import { planUninstall, type Workload } from '../../../lib/host/uninstall';
import { type FixtureMachine, fixtureMachines } from '../doctor/fixture-machine';

const DATA = '/var/lib/garua';

class FakeWorkload implements Workload {
  readonly calls: string[] = [];

  async end(dataDirectory: string, remove: boolean): Promise<void> {
    this.calls.push(`${remove ? 'remove' : 'stop'} containers of ${dataDirectory}`);
  }

  async removeNetwork(): Promise<void> {
    this.calls.push('remove network');
  }

  async removeCgroups(): Promise<void> {
    this.calls.push('remove cgroups');
  }

  async removePackages(names: string[]): Promise<void> {
    this.calls.push(`purge ${names.join(' ')}`);
  }
}

describe('host/uninstall', () => {
  const make = fixtureMachines();
  /** Brings a private CRIU as the real one does. */
  const programsOf = (machine: FixtureMachine): ProgramSource => ({
    missing: () => [{ name: 'runc', use: 'runs containers' }],
    install: async () => {},
    knowsCriu: async () => false,
    async prepareCriu() {
      await machine.write('/usr/local/lib/garua/criu/bin/criu', '');
      return 'works';
    },
  });

  async function setUp(): Promise<{ machine: FixtureMachine; before: Record<string, string> }> {
    const machine = make('pi-5');
    await machine.write('/etc/passwd', 'pi:x:1000:1000::/home/pi:/bin/bash\n');
    await machine.write('/etc/group', 'root:x:0:\npi:x:1000:\n');
    const before = machine.files();
    const programs = programsOf(machine);
    await runSteps((await planSetup({ machine, programs, user: 'pi' })).steps, () => {});
    await applyFixes(await findAll({ machine, dataDirectory: DATA }), { machine, dataDirectory: DATA });
    await machine.write(`${DATA}/garua.db`, '');
    await machine.write(`${DATA}/layers/sha256-1/etc/passwd`, 'x');
    await machine.write('/run/garua/leases/10.88.0.2', 'x');
    await machine.write('/etc/garua/policy.json', '{}');
    return { machine, before };
  }

  it('with --purge leaves nothing, and names the packages that stay', async () => {
    const { machine, before } = await setUp();
    const workload = new FakeWorkload();
    const { steps, notes } = await planUninstall({ machine, workload, purge: true });
    await runSteps(steps, () => {});
    assert.deepEqual(machine.files(), before);
    assert.equal(await machine.exists(DATA), false);
    assert.equal(await machine.exists('/etc/garua'), false);
    assert.deepEqual(workload.calls, [`remove containers of ${DATA}`, 'remove cgroups', 'remove network']);
    assert.match(notes.join('\n'), /runc.*sudo apt-get purge --autoremove runc/);
    assert.equal(notes.length, 1);
    // The daemon goes before what it works on.
    assert.match(steps[0]!.what, /^stop garua\.service/);
    assert.ok(machine.commands.includes('systemctl disable --now garua.service'));

    const again = await planUninstall({ machine, workload, purge: true });
    assert.deepEqual(
      again.steps.map(({ what }) => what),
      ['remove the network and the cgroups of the containers'],
    );
  });

  it('leaves the network to containers of another data directory', async () => {
    const { machine } = await setUp();
    const state = '/run/garua/0123456789ab/runc/other/state.json';
    await machine.write(state, '{}');
    const workload = new FakeWorkload();
    const { steps, notes } = await planUninstall({ machine, workload, purge: true });
    await runSteps(steps, () => {});
    assert.deepEqual(workload.calls, [`remove containers of ${DATA}`, 'remove cgroups']);
    assert.ok(await machine.exists(state));
    assert.match(notes.join('\n'), /The network stays/);
  });

  it('without it keeps images and the files of containers, and says so', async () => {
    const { machine, before } = await setUp();
    const workload = new FakeWorkload();
    const { steps, notes } = await planUninstall({ machine, workload, packages: true });
    await runSteps(steps, () => {});
    const kept = Object.keys(machine.files()).filter((path) => !(path in before));
    assert.deepEqual(kept, [`${DATA}/garua.db`, `${DATA}/layers/sha256-1/etc/passwd`]);
    assert.deepEqual(workload.calls, [
      `stop containers of ${DATA}`,
      'remove cgroups',
      'remove network',
      'purge runc',
    ]);
    assert.match(notes.join('\n'), /\/var\/lib\/garua stays.*--purge/);
  });

  it('on a machine that was never set up finds only what a network could have left', async () => {
    const machine = make('pc');
    await machine.remove(DATA);
    const { steps, notes } = await planUninstall({ machine, workload: new FakeWorkload() });
    assert.deepEqual(
      [steps.map(({ what }) => what), notes],
      [['remove the network and the cgroups of the containers'], []],
    );
  });

  it('names a file that somebody has changed since --fix', async () => {
    const { machine } = await setUp();
    await machine.write('/etc/sysctl.d/60-garua.conf', 'vm.swappiness = 80\n');
    const plan = await planUninstall({ machine, workload: new FakeWorkload() });
    await runSteps(plan.steps, () => {});
    assert.match(plan.notes.join('\n'), /60-garua\.conf was changed by somebody since/);
  });
});
