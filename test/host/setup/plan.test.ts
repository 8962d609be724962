import assert from 'node:assert/strict';
import { UNIT_FILE, unitText } from '../../../lib/host/service';
import { type ProgramSource, planSetup, readSetupRecord, runSteps } from '../../../lib/host/setup';
import { type FixtureMachine, fixtureMachines } from '../doctor/fixture-machine';

const DATA = '/var/lib/garua';

/** A mirror that has what it is asked for. */
class FakeMirror implements ProgramSource {
  readonly installed: string[] = [];
  failing = false;
  #criu = false;

  missing(): { name: string; use: string }[] {
    return this.installed.includes('runc') ? [] : [{ name: 'runc', use: 'runs containers' }];
  }

  async install(names: string[]): Promise<void> {
    if (this.failing) throw new Error('no network');
    this.installed.push(...names);
  }

  async knowsCriu(): Promise<boolean> {
    return this.#criu;
  }

  async prepareCriu(): Promise<string> {
    this.#criu = true;
    return 'CRIU 4.2.1 works';
  }
}

describe('host/setup plan', () => {
  const make = fixtureMachines();

  async function machineWithUser(): Promise<FixtureMachine> {
    const machine = make('pi-3');
    await machine.write(
      '/etc/passwd',
      'root:x:0:0:root:/root:/bin/bash\npi:x:1000:1000:,,,:/home/pi:/bin/bash\n',
    );
    await machine.write('/etc/group', 'root:x:0:\npi:x:1000:\n');
    return machine;
  }

  const plan = (machine: FixtureMachine, programs: ProgramSource, user?: string) =>
    planSetup({ machine, programs, user, dataDirectory: undefined });

  it('says all that is to be done, does it, and then has nothing to do', async () => {
    const machine = await machineWithUser();
    const mirror = new FakeMirror();
    const before = machine.files();
    const { steps } = await plan(machine, mirror, 'pi');
    assert.deepEqual(machine.files(), before, 'a plan changes nothing');
    const said: string[] = [];
    await runSteps(steps, (line) => said.push(line));
    assert.deepEqual(
      said,
      steps.map(({ what }) => what),
    );
    assert.deepEqual(mirror.installed, ['runc']);
    assert.deepEqual(await readSetupRecord(machine, DATA), { packages: ['runc'] });
    assert.ok(await machine.exists('/etc/garua'));
    assert.match((await machine.read('/etc/group'))!, /^garua:x:\d+:pi$/m);
    assert.equal(await machine.read(UNIT_FILE), unitText());
    assert.deepEqual(machine.commands, [
      'groupadd --system garua',
      'usermod --append --groups garua pi',
      'systemctl daemon-reload',
      'systemctl enable garua.service',
      'systemctl restart garua.service',
    ]);
    assert.deepEqual(await plan(machine, mirror, 'pi'), { steps: [], notes: [] });
  });

  it('remembers what it was about to install when that fails', async () => {
    const machine = await machineWithUser();
    const mirror = new FakeMirror();
    mirror.failing = true;
    const { steps } = await plan(machine, mirror);
    await assert.rejects(
      runSteps(steps, () => {}),
      /no network/,
    );
    assert.deepEqual(await readSetupRecord(machine, DATA), { packages: ['runc'] });
    mirror.failing = false;
    await runSteps((await plan(machine, mirror)).steps, () => {});
    assert.deepEqual((await plan(machine, mirror)).steps, []);
  });

  it('renews a unit that has changed, and restarts the daemon', async () => {
    const machine = await machineWithUser();
    const mirror = new FakeMirror();
    await runSteps((await plan(machine, mirror)).steps, () => {});
    await machine.write(UNIT_FILE, '[Service]\nExecStart=/somewhere/else\n');
    const { steps } = await plan(machine, mirror);
    assert.deepEqual(
      steps.map(({ what }) => what.split(' ')[0]),
      ['renew', 'restart'],
    );
  });

  it('says how to start the daemon where there is no systemd', async () => {
    const machine = await machineWithUser();
    await machine.remove('/run/systemd');
    const { steps, notes } = await plan(machine, new FakeMirror());
    assert.match(notes.join('\n'), /does not run systemd.*main\.js host$/);
    await runSteps(steps, () => {});
    assert.deepEqual(machine.commands, ['groupadd --system garua']);
  });

  it('refuses a user that is not there, before anything is changed', async () => {
    const machine = await machineWithUser();
    await assert.rejects(plan(machine, new FakeMirror(), 'nemo'), { code: 'ERR_INVALID_ARGUMENT' });
    assert.deepEqual(machine.commands, []);
  });
});
