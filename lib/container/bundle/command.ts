import { readdir, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { ImageConfig } from '../../image/image';
import {
  CommandNotExecutableError,
  CommandNotFoundError,
  NoCommandError,
  WrongArchitectureError,
} from '../errors';
import type { CompleteSpec } from '../validate';
import { readStart, resolveInRoot } from './rooted-path';

/** ELF e_machine (and class) by OCI architecture; the values are in elf.h. */
const ELF_MACHINES: Record<number, string> = {
  3: '386',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64le',
  22: 's390x',
  40: 'arm',
  62: 'amd64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};
/** What else each machine's kernel executes. */
const COMPATIBLE: Record<string, string[]> = { amd64: ['386'], arm64: ['arm'] };
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
    if (status.isFile() && status.mode & 0o111) return checkFormat(command, path, spec.image);
    refusal ??= status.isFile() ? 'it lacks the executable permission' : 'it is not a file';
  }
  if (refusal) throw new CommandNotExecutableError(command, spec.image, refusal);
  throw new CommandNotFoundError(command, spec.image);
}

function isUnderMount(path: string, spec: CompleteSpec): boolean {
  return spec.mounts.some(({ target }) => path === target || path.startsWith(`${target}/`));
}

async function checkFormat(command: string, path: string, image: string): Promise<void> {
  const header = await readStart(path, 20);
  if (!header || header.length < 4 || header.toString('latin1', 0, 4) !== '\x7fELF') return;
  const machine = ELF_MACHINES[header[5] === 2 ? header.readUInt16BE(18) : header.readUInt16LE(18)];
  if (!machine || machine === HERE || COMPATIBLE[HERE]?.includes(machine)) return;
  if (!(await emulatorsAreRegistered()))
    throw new WrongArchitectureError(image, `${machine} (${command})`, HERE);
}

async function emulatorsAreRegistered(): Promise<boolean> {
  const entries = await readdir('/proc/sys/fs/binfmt_misc').catch(() => []);
  return entries.some((entry) => entry !== 'register' && entry !== 'status');
}
