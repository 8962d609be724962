import { join } from 'node:path';
import type { Machine } from '../../machine';
import { CRIU_STATE, type CriuState, DEFAULT_PREFIX, privateCriu, testCriu } from '../../setup';
import { type Check, type CheckContext, type Outcome, ok, warn } from '../check';

/** What a try-out found, and what it depends on. */
interface Tried {
  program: string;
  version: string;
  kernel: string;
  works: boolean;
  reason: string;
}

/** In the data directory. */
const MEMORY = 'criu-tried.json';

/** `criu check` and a dump and restore of a process with a socket take well under this where they work. */
const TIME_LIMIT = 15_000;

const WITHOUT = 'Everything else works without it.';

export const criu: Check = {
  id: 'criu',
  area: 'programs',
  why: 'Moving a running container, with its memory, to another host needs a CRIU that works on this kernel.',
  async look(context) {
    const { machine } = context;
    const programs = await candidates(machine);
    if (programs.length === 0) {
      return warn(
        'not installed',
        `sudo garua setup brings one that works here, if there is one. ${WITHOUT}`,
      );
    }
    const kernel = ((await machine.read('/proc/sys/kernel/osrelease')) ?? '').trim();
    const memory = [...(await ofSetup(machine)), ...(await ownMemory(context))];
    const reasons: string[] = [];
    for (const program of programs) {
      const version = await versionOf(machine, program);
      let tried = memory.find(
        (one) => one.program === program && one.version === version && one.kernel === kernel,
      );
      if (!tried && context.thorough && machine.userId === 0) {
        const verdict = await testCriu(program, { timeLimitMs: TIME_LIMIT, signal: context.signal });
        tried = {
          program,
          version,
          kernel,
          works: verdict.works,
          reason: verdict.works ? '' : verdict.reason,
        };
        await remember(context, tried);
      }
      if (!tried) return notTried(program, version, machine.userId);
      if (tried.works) return ok(`${program}, version ${version}, dumps and restores`);
      reasons.push(`${program}, version ${version}, does not work: ${tried.reason}`);
    }
    return warn(reasons.join('; '), `sudo garua setup looks for one that works here. ${WITHOUT}`);
  },
};

function notTried(program: string, version: string, userId: number): Outcome {
  const command = userId === 0 ? 'garua doctor' : 'sudo garua doctor';
  return warn(`${program}, version ${version}, not tried out on this kernel yet`, `Try it out: ${command}`);
}

/** The private copy is newer than the system's. */
async function candidates(machine: Machine): Promise<string[]> {
  const own = privateCriu(join(DEFAULT_PREFIX, 'criu'));
  const system = (await machine.which('criu'))?.path;
  return [...((await machine.exists(own)) ? [own] : []), ...(system ? [system] : [])];
}

async function versionOf(machine: Machine, program: string): Promise<string> {
  return /Version:\s*(\S+)/i.exec((await machine.run(program, '--version')) ?? '')?.[1] ?? 'unknown';
}

/** What the set-up has found. */
async function ofSetup(machine: Machine): Promise<Tried[]> {
  try {
    const state = JSON.parse(
      (await machine.read(join(DEFAULT_PREFIX, CRIU_STATE))) ?? '{}',
    ) as Partial<CriuState>;
    const { program, version, kernel = '', rejected = [] } = state;
    const failed = rejected.map((one) => ({ ...one, kernel, works: false }));
    return program && version ? [...failed, { program, version, kernel, works: true, reason: '' }] : failed;
  } catch {
    return [];
  }
}

/** What earlier looks have found. */
async function ownMemory({ machine, dataDirectory }: CheckContext): Promise<Tried[]> {
  try {
    const found: unknown = JSON.parse((await machine.read(join(dataDirectory, MEMORY))) ?? '[]');
    return Array.isArray(found) ? (found as Tried[]) : [];
  } catch {
    return [];
  }
}

/** Nothing is kept where there is no data directory yet. */
async function remember(context: CheckContext, tried: Tried): Promise<void> {
  const { machine, dataDirectory } = context;
  if (!(await machine.exists(dataDirectory))) return;
  const others = (await ownMemory(context)).filter(({ program }) => program !== tried.program);
  const content = `${JSON.stringify([...others, tried], undefined, 2)}\n`;
  // A full disk costs only another try-out.
  await machine.write(join(dataDirectory, MEMORY), content).catch(() => {});
}
