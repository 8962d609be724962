import { defaultDataDirectory, InvalidArgumentError } from '../../base';
import { type ChangeableMachine, thisMachine } from '../machine';
import { type ServiceOptions, serviceSteps, startByHand } from '../service';
import { installPackages } from './apt';
import { DEFAULT_PREFIX, knownCriu, prepareCriu } from './criu';
import { missingPackages, type Purpose } from './packages';
import { recordPackages } from './record';
import type { Step } from './step';

export const GROUP = 'garua';
export const CONFIGURATION = '/etc/garua';

/** Where programs come from; tests put something else in its place. */
export interface ProgramSource {
  /** Of the packages for a purpose, those that are not here. */
  missing(purpose: Purpose): { name: string; use: string }[];
  install(names: string[], signal: AbortSignal | undefined): Promise<void>;
  /** Whether the question which CRIU works here has been answered. */
  knowsCriu(): Promise<boolean>;
  /** Answers it, and says the answer in words. */
  prepareCriu(signal: AbortSignal | undefined): Promise<string>;
}

export interface SetupOptions extends ServiceOptions {
  purpose?: Purpose | undefined;
  /** Somebody to be let into the group. */
  user?: string | undefined;
  /** Whether the daemon is to run. Default true. */
  service?: boolean | undefined;
  machine?: ChangeableMachine | undefined;
  programs?: ProgramSource | undefined;
  signal?: AbortSignal | undefined;
  /** Told what came of steps whose outcome is open. */
  say?: ((line: string) => void) | undefined;
}

export interface SetupPlan {
  /** What is to be done; empty when all is in place. */
  steps: Step[];
  /** What people have to do themselves afterwards. */
  notes: string[];
}

/**
 * What a machine still needs to be a host of the fog. Looks only; the steps change.
 *
 * @throws {InvalidArgumentError} when there is no such user
 */
export async function planSetup(options: SetupOptions = {}): Promise<SetupPlan> {
  const {
    machine = thisMachine,
    programs = ofDebian,
    purpose = 'containers',
    signal,
    say = () => {},
  } = options;
  const dataDirectory = options.dataDirectory ?? defaultDataDirectory();
  const steps: Step[] = [];
  const missing = programs.missing(purpose);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name);
    steps.push({
      what: `install with apt-get: ${missing.map(({ name, use }) => `${name} (${use})`).join(', ')}`,
      async run() {
        await recordPackages(machine, dataDirectory, names);
        await programs.install(names, signal);
      },
    });
  }
  if (!(await programs.knowsCriu())) {
    steps.push({
      what: `look for a CRIU that works on this kernel (up to a minute), if need be a private copy of Debian’s newest in ${DEFAULT_PREFIX}`,
      run: async () => say(await programs.prepareCriu(signal)),
    });
  }
  for (const [path, mode] of [
    [dataDirectory, 0o711],
    [CONFIGURATION, 0o755],
  ] as const) {
    if (await machine.exists(path)) continue;
    steps.push({ what: `make the folder ${path}`, run: () => machine.makeFolder(path, mode) });
  }
  const notes: string[] = [];
  steps.push(...(await groupSteps(machine, options.user, notes)));
  if (options.service !== false) {
    steps.push(...(await serviceSteps(machine, options)));
    const command = await startByHand(machine, options);
    if (command)
      notes.push(`This machine does not run systemd. Start the daemon yourself, as root: ${command}`);
  }
  return { steps, notes };
}

async function groupSteps(
  machine: ChangeableMachine,
  user: string | undefined,
  notes: string[],
): Promise<Step[]> {
  const steps: Step[] = [];
  const group = await machine.run('getent', 'group', GROUP);
  if (group === undefined) {
    steps.push({
      what: `make the system group ${GROUP}, whose members may control this host`,
      run: () => machine.execute('groupadd', '--system', GROUP),
    });
  }
  if (user === undefined) return steps;
  if ((await machine.run('getent', 'passwd', user)) === undefined) {
    throw new InvalidArgumentError(
      `there is no user ${user} on this machine`,
      'Name one that there is with --user, such as the one that Node-RED runs as.',
    );
  }
  const members = group?.trim().split(':')[3]?.split(',') ?? [];
  if (members.includes(user)) return steps;
  steps.push({
    what: `let ${user} into the group ${GROUP}, which is as good as root unless ${CONFIGURATION}/policy.json narrows it`,
    run: () => machine.execute('usermod', '--append', '--groups', GROUP, user),
  });
  notes.push(
    `${user} has to log in again, and a Node-RED of theirs be started again, before the group counts.`,
  );
  return steps;
}

const ofDebian: ProgramSource = {
  missing: (purpose) => missingPackages(purpose),
  install: (names, signal) => installPackages(names, { signal }),
  knowsCriu: async () => (await knownCriu(DEFAULT_PREFIX)) !== undefined,
  async prepareCriu(signal) {
    const { program, version } = await prepareCriu(DEFAULT_PREFIX, { signal });
    return program
      ? `CRIU ${version} works: ${program}`
      : 'No CRIU works here. Containers run all the same, but cannot be moved while they run.';
  },
};
