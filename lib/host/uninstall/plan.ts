import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DataDirectoryInUseError, defaultDataDirectory, GaruaError } from '../../base';
import { removeCgroups, removeNetwork } from '../../container';
import { LocalHost } from '../local-host';
import { type ChangeableMachine, type Machine, thisMachine } from '../machine';
import { serviceRemovalSteps } from '../service';
import {
  aptGet,
  CONFIGURATION,
  DEFAULT_PREFIX,
  GROUP,
  readSetupRecord,
  type Step,
  setupRecordPath,
} from '../setup';
import { recordPath, undoFixes } from '../tuning';

/** What runs on this machine; tests put something else in its place. */
export interface Workload {
  /** Ends all containers of a data directory, and removes them when asked. @throws ERR_DATA_DIRECTORY_IN_USE */
  end(dataDirectory: string, remove: boolean): Promise<void>;
  removeNetwork(): Promise<void>;
  /** Those that nothing runs in any more. */
  removeCgroups(): Promise<void>;
  removePackages(names: string[]): Promise<void>;
}

export interface UninstallOptions {
  dataDirectory?: string | undefined;
  /** Also the data directory: all images, containers and their files. */
  purge?: boolean | undefined;
  /** Also the Debian packages that the set-up installed. */
  packages?: boolean | undefined;
  machine?: ChangeableMachine | undefined;
  workload?: Workload | undefined;
}

export interface UninstallPlan {
  steps: Step[];
  /** What stays, and how to be rid of it. */
  notes: string[];
}

/** Where runc and the network keep what ends with the boot. */
const RUNTIME = '/run/garua';

/** What is to be done so that nothing of Garua is left on a machine but what is said in the notes. Looks only. */
export async function planUninstall(options: UninstallOptions = {}): Promise<UninstallPlan> {
  const { machine = thisMachine, workload = ofThisMachine, purge = false } = options;
  const dataDirectory = options.dataDirectory ?? defaultDataDirectory();
  const notes: string[] = [];
  const steps: Step[] = await serviceRemovalSteps(machine);
  const hasData = await machine.exists(dataDirectory);
  if (await machine.exists(join(dataDirectory, 'garua.db'))) {
    steps.push({
      what: purge ? 'stop and remove all containers' : 'stop all containers',
      run: () => workload.end(dataDirectory, purge),
    });
  }
  steps.push({
    what: 'remove the network and the cgroups of the containers',
    async run() {
      await workload.removeCgroups();
      if (await othersRun(machine)) {
        notes.push('The network stays: containers of another data directory run on this machine.');
      } else await workload.removeNetwork();
    },
  });
  if (await machine.exists(recordPath(dataDirectory))) {
    steps.push({
      what: 'take back what garua doctor --fix has changed',
      async run() {
        for (const { kept } of await undoFixes({ dataDirectory, machine })) {
          notes.push(...kept.map((path) => `${path} was changed by somebody since, and stays as it is.`));
        }
      },
    });
  }
  const { packages } = await readSetupRecord(machine, dataDirectory);
  if (packages.length > 0) {
    if (options.packages) {
      steps.push({
        what: `remove the packages that garua setup installed: ${packages.join(', ')}`,
        run: () => workload.removePackages(packages),
      });
    } else {
      notes.push(
        `garua setup installed these Debian packages, which stay: ${packages.join(', ')}. To remove them: sudo apt-get purge --autoremove ${packages.join(' ')}`,
      );
    }
  }
  for (const path of [CONFIGURATION, DEFAULT_PREFIX, compiledCode()]) {
    if (await machine.exists(path)) steps.push({ what: `remove ${path}`, run: () => machine.remove(path) });
  }
  if (await machine.exists(RUNTIME)) {
    steps.push({
      what: `remove ${RUNTIME}`,
      // What other data directories' containers need stays.
      run: async () => {
        if (!(await othersRun(machine))) await machine.remove(RUNTIME);
      },
    });
  }
  if ((await machine.run('getent', 'group', GROUP)) !== undefined) {
    steps.push({ what: `remove the group ${GROUP}`, run: () => machine.execute('groupdel', GROUP) });
  }
  if (purge && hasData) {
    steps.push({
      what: `remove ${dataDirectory} with all images and the files of containers`,
      run: () => machine.remove(dataDirectory),
    });
  } else if (hasData) {
    steps.push({
      what: 'forget what was installed and tried out',
      async run() {
        for (const path of [setupRecordPath(dataDirectory), join(dataDirectory, 'criu-tried.json')]) {
          await machine.remove(path);
        }
      },
    });
    notes.push(`${dataDirectory} stays, with images and the files of containers; --purge removes it too.`);
  }
  return { steps, notes };
}

/** Whether runc knows containers after those of the data directory have ended: each directory has a folder there. */
async function othersRun(machine: Machine): Promise<boolean> {
  for (const name of await machine.list(RUNTIME)) {
    if ((await machine.list(join(RUNTIME, name, 'runc'))).length > 0) return true;
  }
  return false;
}

/** Of the command line, for the user who runs this. */
function compiledCode(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'garua');
}

const ofThisMachine: Workload = {
  async end(dataDirectory, remove) {
    if (!existsSync(dataDirectory)) return;
    const host = await LocalHost.open({ dataDirectory }).catch((cause) => {
      if (!(cause instanceof DataDirectoryInUseError)) throw cause;
      throw new GaruaError(
        cause.code,
        `another process, such as Node-RED, runs the host of ${dataDirectory}`,
        'Stop it (its file garua.lock holds the process ID), then try again.',
        { cause },
      );
    });
    try {
      for (const { name, state } of await host.containers()) {
        if (remove) await host.remove(name, { force: true });
        else if (state === 'running') await host.stop(name);
      }
    } finally {
      await host.close();
    }
  },
  removeNetwork,
  removeCgroups,
  async removePackages(names) {
    await aptGet(['purge', '--yes', ...names]);
  },
};
