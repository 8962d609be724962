import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecOutput } from '../container';
import type { ContainerFolder } from '../paths';
import { processLimit } from '../runtime/cgroup';
import { findTool } from '../runtime/tools';
import { killFamily } from './family';
import { ProgramOutput } from './output';
import type { RuntimeProcess } from './process';
import { execFailure } from './refusal';

/** What a shell says of a command that SIGKILL has ended. */
const KILLED = 137;
/** Between two looks whether runc has started the command. */
const LOOK_MS = 2;

export interface ExecPlace {
  id: string;
  /** The container's and its image's, for errors. */
  name: string;
  image: string;
  folder: ContainerFolder;
  /** runc's own state. */
  runtimeRoot: string;
}

/**
 * Runs a process in a container's namespaces and cgroup: its limits hold for both. It is over once nobody holds its
 * output any more, and with the container at the latest. When the signal fires, or the reader stops, the process and all that it has started are killed, and no exit
 * code comes. With `latin1` each character of input and output stands for one byte.
 *
 * @throws {CommandNotFoundError} {CommandNotExecutableError} {ExecRefusedError} {ToolMissingError}
 */
export async function* runInContainer(
  place: ExecPlace,
  process: RuntimeProcess,
  input: string | undefined,
  encoding: 'utf8' | 'latin1',
  signal: AbortSignal,
): AsyncGenerator<ExecOutput> {
  if (signal.aborted) return;
  const runc = await findTool('runc');
  const { refusals = 0 } = (await processLimit(place.id)) ?? {};
  const base = join(place.folder.path, `exec-${randomBytes(6).toString('hex')}`);
  const [document, pidFile] = [`${base}.json`, `${base}.pid`];
  await writeFile(document, JSON.stringify(process), { mode: 0o600 });
  const args = ['--root', place.runtimeRoot, 'exec', '--process', document, '--pid-file', pidFile, place.id];
  const child = spawn(runc, args, {
    detached: true,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const output = new ProgramOutput(child.stdout!, child.stderr!, encoding);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve).once('error', () => resolve(null));
  });
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  // runc writes the file once the command runs; what comes before may be its own complaint that it cannot.
  const startOrEnd = async () => {
    for (;;) {
      // In this order: it may start and end between the two.
      const over = hasEnded;
      if ((await readFile(pidFile, 'utf8').catch(() => '')) !== '') return true;
      if (over) return false;
      await delay(LOOK_MS);
    }
  };
  let isOver = false;
  const end = async () => {
    output.close();
    await killExec(child.pid, pidFile);
  };
  const onAbort = () => void end();
  signal.addEventListener('abort', onAbort, { once: true });
  // A command need not read what it is given.
  child.stdin?.on('error', () => {}).end(input, encoding);
  try {
    let started = false;
    let complaint = '';
    for await (const piece of output.read()) {
      started ||= await startOrEnd();
      if (signal.aborted) return;
      if (started) yield piece;
      else complaint += piece.text;
    }
    const exitCode = await ended;
    if (signal.aborted) return;
    isOver = true;
    if (!started && !(await startOrEnd())) {
      throw await execFailure(complaint, place, process.args[0]!, refusals);
    }
    yield { exitCode: exitCode ?? KILLED };
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!isOver) await end();
    output.close();
    await Promise.all([document, pidFile].map((path) => rm(path, { force: true })));
  }
}

async function killExec(runc: number | undefined, pidFile: string): Promise<void> {
  const killLeader = async () => {
    const leader = Number(await readFile(pidFile, 'utf8').catch(() => ''));
    if (leader > 0) await killFamily(leader);
  };
  await killLeader();
  try {
    if (runc !== undefined) process.kill(-runc, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
  // runc may have started it between the two.
  await killLeader();
}
