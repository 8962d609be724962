import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { AbortedError, GaruaError, PermissionError, ToolMissingError } from '../../base';
import type { ExecOptions } from '../../container';
import type { Host } from '../../host';
import { type Command, type Invocation, text, texts, UsageError, withHost } from '../command';
import { assignment } from '../container-values';
import { printJson } from '../output';

/** A command that was run in a container ended with a status other than 0. */
export class ExecFailedError extends GaruaError {
  constructor(name: string, command: string, status: number) {
    super(
      'ERR_EXEC_FAILED',
      `${command} ended with status ${status} in container ${name}`,
      'What it wrote says why; 128 + n means that signal n ended it.',
    );
  }
}

/** `garua exec`: one more command in a container that runs. */
export const exec: Command = {
  name: 'exec',
  usage: 'NAME [--user U] [--workdir DIR] [--env K=V] [-i] [-t] [--json] -- COMMAND...',
  summary:
    'Run a command in a running container. -i: with the input of this one, -t: on this terminal (both as root only).',
  options: {
    user: { type: 'string', short: 'u' },
    workdir: { type: 'string', short: 'w' },
    env: { type: 'string', short: 'e', multiple: true },
    interactive: { type: 'boolean', short: 'i' },
    tty: { type: 'boolean', short: 't' },
  },
  positionals: { minimum: 1, maximum: 1 },
  takesRest: true,
  async run(invocation) {
    const { options, positionals, rest } = invocation;
    const [name] = positionals as [string];
    if (rest.length === 0) throw new UsageError('what to run is missing: garua exec NAME -- COMMAND...');
    const execOptions: ExecOptions = {
      env: Object.fromEntries(texts(options, 'env').map(assignment('env'))),
      user: text(options, 'user'),
      workingDirectory: text(options, 'workdir'),
    };
    const onTerminal = options.tty === true;
    const isAttached = onTerminal || options.interactive === true;
    if (isAttached && options.json) throw new UsageError('--json goes with neither -i nor -t');
    if (onTerminal && !process.stdin.isTTY) throw new UsageError('-t needs a terminal as input');
    await withHost(invocation, async (host) => {
      const status = isAttached
        ? await runAttached(host, name, rest, execOptions, onTerminal)
        : await runDetached(host, name, rest, execOptions, invocation);
      if (status !== 0) throw new ExecFailedError(name, rest[0]!, status);
    });
  },
};

/** The command's output comes through the host; it has no input. */
async function runDetached(
  host: Host,
  name: string,
  command: string[],
  options: ExecOptions,
  { options: { json }, signal }: Invocation,
): Promise<number> {
  const output = { stdout: '', stderr: '' };
  let exitCode: number | undefined;
  for await (const piece of host.exec(name, command, { ...options, signal })) {
    if ('exitCode' in piece) exitCode = piece.exitCode;
    else if (json) output[piece.stream] += piece.text;
    else if (!process[piece.stream].write(piece.text)) await once(process[piece.stream], 'drain');
  }
  if (exitCode === undefined) throw new AbortedError(`${command[0]} in container ${name}`);
  if (json) printJson({ exitCode, ...output });
  return exitCode;
}

/** runc gives the command the files that this process has. */
async function runAttached(
  host: Host,
  name: string,
  command: string[],
  options: ExecOptions,
  terminal: boolean,
): Promise<number> {
  if (process.getuid?.() !== 0) {
    throw new PermissionError(
      'garua exec with -i or -t needs root on the machine of the container',
      'Use sudo, or leave -i and -t out: then the command has no input and its output comes through the host.',
    );
  }
  const { TERM } = process.env;
  const env = { ...(terminal && TERM ? { TERM } : {}), ...options.env };
  const plan = await host.execPlan(name, command, { ...options, env });
  const folder = await mkdtemp(join(tmpdir(), 'garua-exec-'));
  try {
    const document = join(folder, 'process.json');
    await writeFile(document, JSON.stringify({ ...plan.process, terminal }), { mode: 0o600 });
    const args = ['--root', plan.runtimeRoot, 'exec', '--process', document, plan.id];
    // The terminal's interrupt is for the command, which gets it too.
    const child = spawn('runc', args, { stdio: 'inherit' });
    const [code, signal] = (await once(child, 'exit').catch((cause) => {
      throw new ToolMissingError('runc', { cause });
    })) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (constants.signals[signal!] ?? 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
