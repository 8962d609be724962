import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execute, type LongCall, ToolFailedError } from '../../../base';
import type { Execute } from '../apt';

/** What a try-out of one CRIU on this kernel found. */
export type CriuVerdict =
  | { works: true; version: string }
  | { works: false; version: string; reason: string };

export interface CriuTestOptions extends Pick<LongCall, 'signal'> {
  /** For the whole try-out, in milliseconds: some versions hang for ever on some machines. Default 15,000. */
  timeLimitMs?: number;
  execute?: Execute;
}

/** The version that a CRIU says it is, `unknown` when it says nothing. */
export async function criuVersion(program: string, run: Execute = execute): Promise<string> {
  const { stdout } = await run(program, ['--version'], { allowFailure: true, timeoutMs: 5000 });
  return /Version:\s*(\S+)/i.exec(stdout)?.[1] ?? 'unknown';
}

/**
 * Dumps and restores a throw-away process that holds a listening socket. `criu check` alone is not enough:
 * versions that pass it hang in the dump on machines without hardware breakpoints, or cannot dump sockets
 * on newer kernels. Needs root.
 */
export async function testCriu(program: string, options: CriuTestOptions = {}): Promise<CriuVerdict> {
  const run = options.execute ?? execute;
  const version = await criuVersion(program, run).catch(() => 'unknown');
  const limit = AbortSignal.timeout(options.timeLimitMs ?? 15_000);
  const signal = options.signal ? AbortSignal.any([limit, options.signal]) : limit;
  const folder = await mkdtemp(join(tmpdir(), 'garua-criu-'));
  const subject = startSubject(folder);
  subject.on('error', () => {});
  try {
    await run(program, ['check'], { signal });
    const port = await portOf(folder, subject, signal);
    await run(program, ['dump', ...commonArguments(folder), '--tree', String(subject.pid)], { signal });
    await ended(subject, signal);
    await run(program, ['restore', ...commonArguments(folder), '--restore-detached'], { signal });
    await answers(port, signal);
    return { works: true, version };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { works: false, version, reason: limit.aborted ? 'it hung and was stopped' : reasonOf(error) };
  } finally {
    killSubject(subject.pid, folder);
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Of CRIU's errors the first tells the cause, and the last only that all has failed. That it may not raise
 * its own limit of open files, as in many virtual machines, does no harm.
 */
function reasonOf(error: unknown): string {
  const text = error instanceof ToolFailedError ? error.stderr : '';
  const errors = [...text.matchAll(/^.*Error \(.*?\): *(.*)$/gm)].map(([, message]) => message!);
  return errors.find((message) => !/RLIMIT_NOFILE/.test(message)) ?? (error as Error).message;
}

function commonArguments(folder: string): string[] {
  return ['--images-dir', folder, '--work-dir', folder, '--manage-cgroups=ignore', '-v1'];
}

/**
 * In a session of its own and without our pipes, since CRIU dumps neither foreign terminals nor pipe ends.
 * Perl is part of every Debian; Node.js will not do, since CRIU knows no io_uring.
 */
function startSubject(folder: string): ChildProcess {
  const program = `
    use Socket;
    socket(my $server, PF_INET, SOCK_STREAM, 0) or die;
    bind($server, sockaddr_in(0, INADDR_LOOPBACK)) && listen($server, 5) or die;
    open(my $file, ">", "$ARGV[0]/port.new") or die;
    print $file (sockaddr_in(getsockname($server)))[0];
    close($file);
    rename("$ARGV[0]/port.new", "$ARGV[0]/port");
    while (accept(my $client, $server)) { syswrite($client, "here"); close($client) }`;
  return spawn('perl', ['-e', program, folder], { cwd: '/', detached: true, env: {}, stdio: 'ignore' });
}

async function portOf(folder: string, subject: ChildProcess, signal: AbortSignal): Promise<number> {
  while (!existsSync(join(folder, 'port'))) {
    if (subject.pid === undefined || subject.exitCode !== null)
      throw new Error('perl, for a try-out, does not run');
    await delay(25, undefined, { signal });
  }
  return Number(readFileSync(join(folder, 'port'), 'utf8'));
}

/** The restored process gets the same process ID, so the dumped one must have been reaped before. */
async function ended(subject: ChildProcess, signal: AbortSignal): Promise<void> {
  if (subject.exitCode === null && subject.signalCode === null) await once(subject, 'exit', { signal });
}

async function answers(port: number, signal: AbortSignal): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    const [answer] = await once(socket, 'data', { signal });
    if (String(answer) !== 'here') throw new Error('the restored process answers with something else');
  } finally {
    socket.destroy();
  }
}

/** Kills the process, dumped, restored or neither, unless its ID belongs to somebody else by now. */
function killSubject(pid: number | undefined, folder: string): void {
  if (pid === undefined) return;
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
