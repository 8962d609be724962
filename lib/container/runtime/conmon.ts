import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Readable } from 'node:stream';
import { AbortedError, ToolMissingError, ToolTimeoutError } from '../../base';
import { killFamily } from '../exec/family';
import { beginSegments } from '../log/segments';
import type { ContainerFolder } from '../paths';
import { moveToMonitors } from './cgroup';
import { identifyProcess, signalProcess } from './process-identity';

export interface MonitorOptions {
  id: string;
  folder: ContainerFolder;
  exits: string;
  conmon: string;
  runc: string;
  runtimeRoot: string;
  timeoutMs: number;
  /** A folder with the images of a checkpoint: its processes are brought back, they do not begin anew. */
  images?: string | undefined;
  /** Whether its standard input is a pipe that stays open. */
  stdin: boolean;
  signal?: AbortSignal | undefined;
}

/** What a restore keeps as it was: established connections, and locks on files. */
const RESTORE_OPTIONS = ['--tcp-established', '--file-locks'];

/** runc would not create the container; `message` is what it said. */
export class CreateRefused extends Error {}

/**
 * Starts conmon, which lets runc create the container (all is set up, the command waits), then stays as
 * its parent: it writes the log and, at the end, the exit status. It lives in its own session and outlives
 * this process.
 *
 * With `images` runc restores it instead: all its processes run then.
 *
 * @returns the container's first process
 * @throws {CreateRefused} {ToolMissingError} {ToolTimeoutError} {AbortedError}
 */
export async function createUnderMonitor(options: MonitorOptions): Promise<number> {
  const { folder } = options;
  const logLimit = beginSegments(folder);
  await Promise.all([
    mkdir(folder.notes, { recursive: true, mode: 0o700 }),
    // What an earlier run left must not be taken for this run's.
    ...[folder.exitFile, folder.pidFile, folder.monitorPidFile].map((path) => rm(path, { force: true })),
  ]);
  await rm(`${folder.notes}/oom`, { force: true });
  const output = openSync(folder.monitorOutput, 'w', 0o600);
  try {
    const pid = await runMonitor(options, output, logLimit);
    const monitor = await findMonitor(folder);
    if (monitor) await moveToMonitors(monitor.pid);
    return pid;
  } catch (error) {
    await endAttempt(folder);
    if (error instanceof CreateRefused && !error.message) {
      const said = await readFile(folder.monitorOutput, 'utf8').catch(() => '');
      throw new CreateRefused(said.trim() || 'conmon ended without a word');
    }
    throw error;
  } finally {
    closeSync(output);
  }
}

function runMonitor(options: MonitorOptions, output: number, logLimit: number): Promise<number> {
  const { id, folder, exits, conmon, runc, runtimeRoot, timeoutMs, images, stdin, signal } = options;
  const args = [
    ...['--api-version', '1', '-c', id, '-u', id, '-n', id],
    ...['-r', runc, '--runtime-arg', `--root=${runtimeRoot}`],
    ...['-b', folder.path, '-p', folder.pidFile, '-P', folder.monitorPidFile],
    // Relative to the bundle, since conmon cuts the path at a colon.
    ...['-l', `k8s-file:${relative(folder.path, folder.log)}`],
    ...['--log-size-max', String(logLimit), '--no-sync-log'],
    // --full-attach makes the attach socket through a descriptor: no limit of 108 bytes for its path.
    ...['--exit-dir', exits, '--persist-dir', folder.notes, '--full-attach'],
    ...(stdin ? ['--stdin'] : []),
    ...(images === undefined ? [] : ['--restore', images]),
    ...(images === undefined ? [] : RESTORE_OPTIONS.flatMap((option) => ['--runtime-opt', option])),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(conmon, args, {
      detached: true,
      cwd: folder.path,
      stdio: ['ignore', output, output, 'pipe'],
      // Paths may hold any character, which GLib refuses in the C locale.
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', _OCI_SYNCPIPE: '3' },
    });
    const pipe = child.stdio[3] as Readable;
    const timer = setTimeout(
      () => finish(() => reject(new ToolTimeoutError('conmon', timeoutMs))),
      timeoutMs,
    );
    const onAbort = () => finish(() => reject(new AbortedError('conmon', { cause: signal?.reason })));
    signal?.addEventListener('abort', onAbort, { once: true });
    let received = '';
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      // conmon holds its end as long as the container runs.
      pipe.destroy();
      child.unref();
      settle();
    };
    pipe.setEncoding('utf8');
    pipe.on('data', (text: string) => {
      received += text;
      if (received.includes('\n')) finish(() => settleFrom(received, resolve, reject));
    });
    pipe.on('error', () => finish(() => reject(new CreateRefused(''))));
    pipe.on('end', () => finish(() => settleFrom(received, resolve, reject)));
    child.on('error', (error: NodeJS.ErrnoException) =>
      finish(() =>
        reject(error.code === 'ENOENT' ? new ToolMissingError('conmon', { cause: error }) : error),
      ),
    );
  });
}

/** conmon's sync pipe: `{"data": PID}`, or `{"data": -1, "message": ...}`. */
function settleFrom(line: string, resolve: (pid: number) => void, reject: (error: Error) => void): void {
  try {
    const { data, message } = JSON.parse(line) as { data: number; message?: string };
    if (data > 0) resolve(data);
    else reject(new CreateRefused(message ?? ''));
  } catch {
    reject(new CreateRefused(line.trim()));
  }
}

/** Ends conmon and what it has started: a restore that hangs is a whole family. */
async function endAttempt(folder: ContainerFolder): Promise<void> {
  const monitor = await findMonitor(folder);
  if (monitor) await killFamily(monitor.pid);
}

/** Ends a container's conmon, if it is there. */
export async function killMonitor(folder: ContainerFolder): Promise<void> {
  const monitor = await findMonitor(folder);
  if (monitor) await signalProcess(monitor, 'SIGKILL');
}

/** A container's conmon. The number in its pid file may by now be another program's. */
export async function findMonitor(folder: ContainerFolder) {
  const pid = Number(await readFile(folder.monitorPidFile, 'utf8').catch(() => ''));
  if (!pid) return undefined;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.split('\0').includes(folder.monitorPidFile) ? identifyProcess(pid) : undefined;
}
