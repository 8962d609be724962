import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PeakMemory, watchMemory } from './memory';

/** Process groups under way; whatever interrupts the run ends them by id. */
const groups = new Set<ChildProcess>();

/** The environment of every program that is measured: no proxy between it and the registry. */
export function benchEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, ...extra };
  for (const name of Object.keys(environment)) if (/_proxy$/i.test(name)) delete environment[name];
  return environment;
}

export interface MeasureOptions {
  env?: NodeJS.ProcessEnv;
  /** Milliseconds after which the process group is killed and the run counts as failed. */
  timeoutMs?: number;
  /** Also watch the largest resident set (VmHWM, all threads of the process). */
  memory?: boolean;
}

export interface Measured {
  /** From before the process is made until its end. */
  seconds: number;
  /** Only when asked for. */
  memory: PeakMemory | undefined;
  stdout: string;
}

/** Runs a program to its end and takes its wall time. Rejects with its last words when it fails. */
export async function measure(tool: string, args: string[], options: MeasureOptions = {}): Promise<Measured> {
  const start = process.hrtime.bigint();
  const child = spawn(tool, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: options.env ?? benchEnvironment(),
  });
  groups.add(child);
  let [stdout, stderr, timedOut] = ['', '', false];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr = (stderr + text).slice(-4000);
  });
  const timeoutMs = options.timeoutMs ?? 900_000;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child, 'SIGKILL');
  }, timeoutMs);
  const memory = options.memory ? watchMemory(child.pid!) : undefined;
  try {
    const { status, end } = await new Promise<{ status: number | null; end: bigint }>((resolve, reject) => {
      child.once('error', reject);
      let end = 0n;
      child.once('exit', () => {
        end = process.hrtime.bigint();
      });
      child.once('close', (status) => resolve({ status, end }));
    });
    if (timedOut) throw new Error(`${tool} did not end within ${timeoutMs / 1000} s`);
    if (status !== 0) throw new Error(`${tool} failed (status ${status}): ${lastLines(stderr || stdout)}`);
    return { seconds: Number(end - start) / 1e9, memory: memory?.(), stdout };
  } finally {
    clearTimeout(timer);
    memory?.();
    groups.delete(child);
  }
}

/** Seconds from before a program is made. */
export interface OutputTimes {
  firstOutput: number;
  end: number;
}

/** When a program writes its first byte of output, and when it has ended, which it must do well. */
export async function timeOutput(
  tool: string,
  args: string[],
  env: NodeJS.ProcessEnv = benchEnvironment(),
): Promise<OutputTimes> {
  const start = process.hrtime.bigint();
  const child = spawn(tool, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env });
  groups.add(child);
  let first = 0n;
  let stderr = '';
  child.stdout.on('data', () => {
    first ||= process.hrtime.bigint();
  });
  child.stderr.on('data', (text) => {
    stderr = (stderr + text).slice(-4000);
  });
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    if (status !== 0 || first === 0n) {
      throw new Error(`${tool} failed (status ${status}): ${lastLines(stderr) || 'no output'}`);
    }
    const end = process.hrtime.bigint();
    return { firstOutput: Number(first - start) / 1e9, end: Number(end - start) / 1e9 };
  } finally {
    groups.delete(child);
  }
}

export interface Daemon {
  readonly pid: number;
  /** False once it has ended. */
  readonly alive: boolean;
  stop(): Promise<void>;
}

/** Starts a program that stays; what it says goes to a file. */
export function startDaemon(
  tool: string,
  args: string[],
  logFile: string,
  env: NodeJS.ProcessEnv = benchEnvironment(),
): Daemon {
  const log = openSync(logFile, 'a');
  const child = spawn(tool, args, { stdio: ['ignore', log, log], detached: true, env });
  closeSync(log);
  groups.add(child);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    pid: child.pid ?? -1,
    get alive() {
      return child.exitCode === null && child.signalCode === null;
    },
    async stop() {
      child.kill('SIGTERM');
      await Promise.race([ended, sleep(10_000, undefined, { ref: false })]);
      killGroup(child, 'SIGKILL');
      groups.delete(child);
    },
  };
}

/** Tries until it works. @throws the last failure after `timeoutMs`, or when the daemon has ended. */
export async function waitFor<T>(
  what: string,
  daemon: Daemon,
  attempt: () => Promise<T>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!daemon.alive || Date.now() > deadline)
        throw new Error(`no sign of ${what}${daemon.alive ? '' : ', its process died'}: ${error}`, {
          cause: error,
        });
      await sleep(50);
    }
  }
}

/** Ends everything that is still running. */
export function killAllGroups(): void {
  for (const child of groups) killGroup(child, 'SIGKILL');
  groups.clear();
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid) process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ').slice(-500);
}
