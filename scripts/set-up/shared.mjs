/** What the steps of the set-up share. Plain JavaScript that any Node from 20 on runs, with nothing installed. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const toolchain = join(root, '.toolchain');
/** Every Node that the project starts is this one. */
export const node = join(toolchain, 'bin/node');

/** Something a person has to put right; printed like the errors of `garua`. */
export class SetupError extends Error {
  constructor(code, message, hint) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Prints a failure and leaves its exit status behind. */
export function report(error) {
  if (error instanceof SetupError) say(`error ${error.code}: ${error.message}\nhint: ${error.hint}`);
  else say(error?.stack ?? String(error));
  process.exitCode = error?.exitCode ?? 1;
}

/** The environment in which everything of this checkout runs. */
export function environment(extra = {}) {
  const folders = [join(toolchain, 'criu/bin'), join(toolchain, 'bin'), process.env.PATH];
  // Beside the Node that is used, brought or the machine's own: node-gyp need not fetch any.
  const headers = exists(node) ? dirname(dirname(realpathSync(node))) : '';
  return {
    ...process.env,
    PATH: folders.join(':'),
    ...(exists(join(headers, 'include/node/node.h')) ? { npm_config_nodedir: headers } : {}),
    ...extra,
  };
}

/** Runs a program to its end with this terminal; answers its exit status. */
export function run(program, args, options = {}) {
  const { status, signal, error } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    env: environment(),
    ...options,
  });
  if (error) throw error;
  return status ?? (signal === 'SIGINT' ? 130 : 1);
}

/**
 * Runs a task to its end in the foreground. Ctrl+C reaches the task from the terminal and may take it a
 * while: this process waits for it.
 */
export function runTask(program, args, options = {}) {
  const child = spawn(program, args, { cwd: root, stdio: 'inherit', env: environment(), ...options });
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (status, signal) => resolve(status ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

/** The command that runs `program` as root: sudo in front when this is somebody else. */
export function asRoot(program, args, variables = {}) {
  if (process.getuid() === 0) return [program, args];
  if (!findProgram('sudo')) {
    throw new SetupError(
      'ERR_SETUP_NOT_ROOT',
      'this needs root, and there is no sudo',
      'Run the same command as root.',
    );
  }
  const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return ['sudo', ['env', ...settings, program, ...args]];
}

export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return folders.map((folder) => join(folder, name)).find((path) => exists(path, constants.X_OK));
}

export function exists(path, mode = constants.F_OK) {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

const STAMPS = join(toolchain, 'stamps.json');

/** What was done last time, so that it is not done again: `{step: what it was done for}`. */
export function readStamps() {
  try {
    return JSON.parse(readFileSync(STAMPS, 'utf8'));
  } catch {
    return {};
  }
}

export function writeStamp(step, value) {
  const temporary = `${STAMPS}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify({ ...readStamps(), [step]: value }, undefined, 2)}\n`);
  renameSync(temporary, STAMPS);
}
