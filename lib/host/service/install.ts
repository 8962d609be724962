import type { ChangeableMachine, Machine } from '../machine';
import type { Step } from '../setup/step';
import { daemonCommand, type ServiceOptions, UNIT_FILE, UNIT_NAME, unitText } from './unit';

/** Whether systemd is what started this machine (sd_booted(3)). */
export function runsSystemd(machine: Machine): Promise<boolean> {
  return machine.exists('/run/systemd/system');
}

/** What is to be done so that the daemon runs, now and after each start of the machine. Nothing when it does. */
export async function serviceSteps(
  machine: ChangeableMachine,
  options: ServiceOptions = {},
): Promise<Step[]> {
  const text = unitText(options);
  const steps: Step[] = [];
  const running = await runsSystemd(machine);
  const current = await machine.read(UNIT_FILE);
  if (current !== text) {
    steps.push({
      what: `${current === undefined ? 'write' : 'renew'} ${UNIT_FILE}`,
      async run() {
        await machine.write(UNIT_FILE, text);
        if (running) await machine.execute('systemctl', 'daemon-reload');
      },
    });
  }
  if (!running) return steps;
  const enabled = await machine.exists(`/etc/systemd/system/multi-user.target.wants/${UNIT_NAME}`);
  if (!enabled) {
    steps.push({
      what: `let ${UNIT_NAME} start with the machine`,
      run: () => machine.execute('systemctl', 'enable', UNIT_NAME),
    });
  }
  const active = (await machine.run('systemctl', 'is-active', UNIT_NAME))?.trim() === 'active';
  if (!active || steps.length > 0) {
    steps.push({
      what: `${active ? 'restart' : 'start'} ${UNIT_NAME} (containers go on running)`,
      run: () => machine.execute('systemctl', 'restart', UNIT_NAME),
    });
  }
  return steps;
}

/** How to start the daemon where there is no systemd; undefined where there is. */
export async function startByHand(
  machine: Machine,
  options: ServiceOptions = {},
): Promise<string | undefined> {
  if (await runsSystemd(machine)) return undefined;
  return daemonCommand(options).join(' ');
}

/** What is to be done so that nothing of the daemon is left; it is stopped first, its containers are not. */
export async function serviceRemovalSteps(machine: ChangeableMachine): Promise<Step[]> {
  if (!(await machine.exists(UNIT_FILE))) return [];
  const running = await runsSystemd(machine);
  const links = '/etc/systemd/system/multi-user.target.wants';
  return [
    {
      what: `stop ${UNIT_NAME} and remove ${UNIT_FILE}`,
      async run() {
        if (running) await machine.execute('systemctl', 'disable', '--now', UNIT_NAME);
        await machine.remove(`${links}/${UNIT_NAME}`);
        await machine.remove(UNIT_FILE);
        if (running) await machine.execute('systemctl', 'daemon-reload');
      },
    },
  ];
}
