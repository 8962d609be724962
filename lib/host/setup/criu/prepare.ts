import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join, resolve } from 'node:path';
import { execute, type LongCall, toGaruaError, writeFileAtomic } from '../../../base';
import type { Execute } from '../apt';
import { findProgram, isExecutable } from '../programs';
import { installPrivateCriu, privateCriu } from './private-copy';
import { type CriuVerdict, criuVersion, testCriu } from './self-test';

/** The CRIU of this machine, as it was found by the last try-out. */
export interface CriuState {
  /** The program to run, or null when none works here. */
  program: string | null;
  version: string | null;
  kernel: string;
  /** Why each one that was tried does not work. */
  rejected: { program: string; version: string; reason: string }[];
}

export interface PrepareCriuOptions extends LongCall {
  /** The system's CRIU. Default: the one on PATH; null: none. */
  systemCriu?: string | null;
  /** Kernel release. Default: this machine's. */
  kernel?: string;
  aptFolder?: string;
  execute?: Execute;
}

/** Where a CRIU of our own is kept. */
export const DEFAULT_PREFIX = '/usr/local/lib/garua';

/** Where `prepareCriu` remembers its outcome under its prefix. */
export const CRIU_STATE = 'criu.json';

/** What the last `prepareCriu` under this prefix found, if it still describes this machine. */
export async function knownCriu(
  prefix: string,
  options: PrepareCriuOptions = {},
): Promise<CriuState | undefined> {
  const state = readState(prefix);
  if (!state || state.kernel !== (options.kernel ?? release())) return undefined;
  const system = systemCriu(prefix, options);
  const program = state.program ?? system;
  // Nothing works, and the system has got no CRIU since that could change this.
  if (program === undefined) return state;
  if (!isExecutable(program)) return undefined;
  const version = await criuVersion(program, options.execute);
  const tried = [state, ...state.rejected].some(
    (candidate) => candidate.program === program && candidate.version === version,
  );
  return tried ? state : undefined;
}

/**
 * Finds a CRIU that works on this machine: the system's, else Debian's newest in a private folder under
 * `prefix`. The outcome is remembered until the kernel or the program changes. Needs root. That none works
 * is no error: everything except moving running containers does without.
 */
export async function prepareCriu(prefix: string, options: PrepareCriuOptions = {}): Promise<CriuState> {
  const known = await knownCriu(prefix, options);
  if (known) return known;
  const rejected: CriuState['rejected'] = [];
  const kernel = options.kernel ?? release();
  const folder = resolve(prefix, 'criu');
  const run = options.execute ?? execute;
  const tryOut = async (program: string): Promise<CriuState | undefined> => {
    const version = await criuVersion(program, run);
    if (rejected.some((one) => one.program === program && one.version === version)) return undefined;
    options.onProgress?.({ phase: 'testing', done: 0, total: 0, unit: 'steps' });
    const verdict: CriuVerdict = await testCriu(program, { signal: options.signal, execute: run });
    if (verdict.works) return { program, version: verdict.version, kernel, rejected };
    rejected.push({ program, version: verdict.version, reason: verdict.reason });
    return undefined;
  };

  const system = systemCriu(prefix, options);
  let state = system === undefined ? undefined : await tryOut(system);
  if (!state && isExecutable(privateCriu(folder))) state = await tryOut(privateCriu(folder));
  if (!state) {
    try {
      await installPrivateCriu(folder, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      const { message } = toGaruaError(error, 'bringing CRIU');
      // Not remembered: with the network back, the next run may succeed.
      rejected.push({ program: privateCriu(folder), version: 'none', reason: message });
      return { program: null, version: null, kernel, rejected };
    }
    state = await tryOut(privateCriu(folder));
  }
  state ??= { program: null, version: null, kernel, rejected };
  await writeFileAtomic(join(prefix, CRIU_STATE), `${JSON.stringify(state, undefined, 2)}\n`);
  return state;
}

function systemCriu(prefix: string, options: PrepareCriuOptions): string | undefined {
  if (options.systemCriu !== undefined) return options.systemCriu ?? undefined;
  const own = resolve(prefix, 'criu');
  const path = (process.env.PATH ?? '').split(':').filter((folder) => !resolve(folder).startsWith(own));
  return findProgram('criu', path.join(':'));
}

function readState(prefix: string): CriuState | undefined {
  try {
    return JSON.parse(readFileSync(join(prefix, CRIU_STATE), 'utf8')) as CriuState;
  } catch {
    return undefined;
  }
}
