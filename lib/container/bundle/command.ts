import { readdir, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { ImageConfig } from '../../image/image';
import {
  CommandNotExecutableError,
  CommandNotFoundError,
  NoCommandError,
  WrongArchitectureError,
} from '../errors';
import type { CompleteSpec } from '../spec/complete';
import { PROGRAM_START, parseProgram } from './program';
import { readStart, resolveInRoot } from './rooted-path';

/** What else each machine's kernel executes. */
const COMPATIBLE: Record<string, string[]> = { amd64: ['386'], arm64: ['arm'] };
/** Programs that run other machines' code, by the names under which they are registered. */
const EMULATORS = /^(qemu|box64|box32|fex|rosetta)/i;
const NODE_TO_OCI: Record<string, string> = { x64: 'amd64', ia32: '386' };
const HERE = NODE_TO_OCI[process.arch] ?? process.arch;

/**
 * The argument list: entrypoint, then command, as Docker joins them. A new entrypoint drops the image's
 * command.
 *
 * @throws {NoCommandError}
 */
export function commandLine(spec: CompleteSpec, image: ImageConfig): string[] {
  const entrypoint = spec.entrypoint ?? image.config?.Entrypoint ?? [];
  const command = spec.command ?? (spec.entrypoint ? [] : (image.config?.Cmd ?? []));
  const args = [...entrypoint, ...command];
  if (!args[0]) throw new NoCommandError(spec.image);
  return args;
}

export interface CommandContext {
  root: string;
  spec: CompleteSpec;
  cwd: string;
  path: string;
}

/**
 * Finds out before anything is stopped or started whether the command can run: it exists, is executable and
 * for this machine. What lies in a mount is left to the runtime to judge.
 *
 * @throws {CommandNotFoundError} {CommandNotExecutableError} {WrongArchitectureError}
 */
export async function checkCommand(command: string, context: CommandContext): Promise<void> {
  const { root, spec, cwd } = context;
  const candidates = command.includes('/')
    ? [posix.resolve(cwd, command)]
    : context.path.split(':').map((folder) => posix.resolve(cwd, folder, command));
  let refusal: string | undefined;
  for (const candidate of candidates) {
    if (isUnderMount(candidate, spec)) return;
    const path = await resolveInRoot(root, candidate);
    if (isUnderMount(path.slice(root.length), spec)) return;
    const status = await stat(path).catch(() => undefined);
    if (!status) continue;
    if (status.isFile() && status.mode & 0o111) return checkFormat(command, path, context);
    refusal ??= status.isFile() ? 'it lacks the executable permission' : 'it is not a file';
  }
  if (refusal) throw new CommandNotExecutableError(command, spec.image, refusal);
  throw new CommandNotFoundError(command, spec.image);
}

function isUnderMount(path: string, spec: CompleteSpec): boolean {
  return spec.mounts.some(({ target }) => path === target || path.startsWith(`${target}/`));
}

async function checkFormat(command: string, path: string, { root, spec }: CommandContext): Promise<void> {
  const start = await readStart(path, PROGRAM_START);
  if (!start) return;
  const program = parseProgram(start);
  if (program.kind === 'unknown') {
    if (await handlersAreRegistered(/./)) return;
    throw new CommandNotExecutableError(
      command,
      spec.image,
      'it is neither a program nor a script with "#!"',
    );
  }
  if (program.kind === 'elf' && program.machine && !runsHere(program.machine)) {
    if (await handlersAreRegistered(EMULATORS)) return;
    throw new WrongArchitectureError(spec.image, `${program.machine} (${command})`, HERE);
  }
  const { interpreter } = program;
  if (!interpreter?.startsWith('/') || isUnderMount(interpreter, spec)) return;
  const resolved = await resolveInRoot(root, interpreter);
  if (isUnderMount(resolved.slice(root.length), spec)) return;
  // The kernel would only say "no such file", which sounds as if it meant the command.
  if (!(await stat(resolved).catch(() => undefined))) {
    const what = program.kind === 'elf' ? 'dynamic linker' : 'interpreter';
    throw new CommandNotExecutableError(
      command,
      spec.image,
      `its ${what} ${interpreter} is not in the image`,
    );
  }
}

function runsHere(machine: string): boolean {
  return machine === HERE || (COMPATIBLE[HERE]?.includes(machine) ?? false);
}

/** Whether the kernel hands files it does not know to other programs (binfmt_misc). */
async function handlersAreRegistered(names: RegExp): Promise<boolean> {
  const entries = await readdir('/proc/sys/fs/binfmt_misc').catch(() => []);
  return entries.some((entry) => !['register', 'status'].includes(entry) && names.test(entry));
}
