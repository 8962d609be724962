import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecOutput, ExecText } from '../container';
import type { ContainerFolder } from '../paths';
import { findTool } from '../runtime/tools';
import { killFamily } from './family';
import { ProgramOutput } from './output';
import type { RuntimeProcess } from './process';
import { execFailure } from './refusal';

/** What a shell says of a command that SIGKILL has ended. */
const KILLED = 137;

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
 * code comes.
 *
 * @throws {CommandNotFoundError} {CommandNotExecutableError} {ExecRefusedError} {ToolMissingError}
 */
export async function* runInContainer(
  place: ExecPlace,
  process: RuntimeProcess,
  input: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ExecOutput> {
  if (signal.aborted) return;
  const runc = await findTool('runc');
  const base = join(place.folder.path, `exec-${randomBytes(6).toString('hex')}`);
  const [document, pidFile] = [`${base}.json`, `${base}.pid`];
  await writeFile(document, JSON.stringify(process), { mode: 0o600 });
  const args = ['--root', place.runtimeRoot, 'exec', '--process', document, '--pid-file', pidFile, place.id];
  const child = spawn(runc, args, {
    detached: true,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const output = new ProgramOutput(child.stdout!, child.stderr!);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve).once('error', () => resolve(null));
  });
  let isOver = false;
  const end = async () => {
    output.close();
    await killExec(child.pid, pidFile);
  };
  const onAbort = () => void end();
  signal.addEventListener('abort', onAbort, { once: true });
  // A command need not read what it is given.
  child.stdin?.on('error', () => {}).end(input);
  try {
    // What comes before the command runs may be runc's own complaint that it cannot.
    let held: ExecText[] | undefined = [];
    for await (const piece of output.read()) {
      if (signal.aborted) return;
      if (held && !(await hasStarted(pidFile))) {
        held.push(piece);
        continue;
      }
      yield* held ?? [];
      held = undefined;
      yield piece;
    }
    const exitCode = await ended;
    if (signal.aborted) return;
    isOver = true;
    if (held && !(await hasStarted(pidFile))) {
      throw execFailure(held.map(({ text }) => text).join(''), place, process.args[0]!);
    }
    yield* held ?? [];
    yield { exitCode: exitCode ?? KILLED };
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!isOver) await end();
    output.close();
    await Promise.all([document, pidFile].map((path) => rm(path, { force: true })));
  }
}

/** runc writes the file once the command runs. */
async function hasStarted(pidFile: string): Promise<boolean> {
  return (await readFile(pidFile, 'utf8').catch(() => '')) !== '';
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
