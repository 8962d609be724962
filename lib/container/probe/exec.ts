import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { killFamily } from '../exec/family';
import type { ContainerFolder } from '../paths';
import { findTool } from '../runtime/tools';
import { type Answer, cannotAsk, failure, SUCCESS } from './answer';

/** What a probe says on its output is only kept for people to read. */
const OUTPUT_LIMIT = 400;

export interface ExecPlace {
  id: string;
  folder: ContainerFolder;
  /** runc's own state. */
  runtimeRoot: string;
}

/**
 * Whether a command ends with status 0 in the container. At the time limit everything that it started is killed, so
 * that a probe that hangs costs the container nothing.
 *
 * @throws {ToolMissingError}
 */
export async function askByExec(
  command: string[],
  { id, folder, runtimeRoot }: ExecPlace,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const runc = await findTool('runc');
  const pidFile = join(folder.path, `probe-${randomBytes(4).toString('hex')}.pid`);
  const args = ['--root', runtimeRoot, 'exec', '--pid-file', pidFile, id, ...command];
  const child = spawn(runc, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = [child.stdout, child.stderr].map(keepEnd);
  const over = new AbortController();
  try {
    // Not `close`: what the command left running in the background may hold the pipes for ever.
    const ended = once(child, 'exit', { signal: over.signal }).then(([code]) => code as number | null);
    const tooLong = delay(timeoutMs, undefined, { signal: AbortSignal.any([over.signal, signal]) }).catch(
      () => {},
    );
    const status = await Promise.race([ended, tooLong.then(() => undefined)]);
    if (status === undefined) {
      await killAll(child, pidFile);
      await ended.catch(() => {});
      return failure(signal.aborted ? 'cancelled' : `${command[0]} did not end within ${timeoutMs} ms`);
    }
    const [said, complaint] = output.map((end) => end().trim());
    return interpret(command[0]!, status, said || complaint || '', complaint ?? '');
  } finally {
    over.abort();
    child.stdout.destroy();
    child.stderr.destroy();
    await rm(pidFile, { force: true });
  }
}

/** 126 and 127 are the shell's words for a program that cannot be run or is not there (POSIX, 2.8.2). */
function interpret(program: string, status: number | null, said: string, complaint: string): Answer {
  if (status === 0) return SUCCESS;
  const missing = /executable file not found|exec: .*(no such file|permission denied|exec format)/.test(
    complaint,
  );
  if (status === 126 || status === 127 || missing) {
    return cannotAsk(`its command cannot be run in the container: ${lastLine(said) || program}`);
  }
  const words = lastLine(said);
  return failure(`${program} ended with status ${status ?? 'unknown'}${words ? `: ${words}` : ''}`);
}

function lastLine(text: string): string {
  return text.split('\n').at(-1)!.slice(-200);
}

function keepEnd(stream: NodeJS.ReadableStream): () => string {
  let kept = '';
  stream.on('data', (chunk: Buffer) => {
    kept = (kept + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
  });
  stream.on('error', () => {});
  return () => kept;
}

async function killAll(child: ChildProcess, pidFile: string): Promise<void> {
  const leader = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (leader > 0) await killFamily(leader);
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
