import { setTimeout as delay } from 'node:timers/promises';
import { execute, type LongCall, ToolFailedError, ToolMissingError } from '../../base';
import { SetupError } from './setup-error';

/** Runs a program; tests put another machine in its place. */
export type Execute = typeof execute;

export interface AptOptions extends LongCall {
  /** Milliseconds to wait while another program installs packages. Default two minutes. */
  lockPatienceMs?: number;
  /** Milliseconds between two looks at that lock. */
  lockPollMs?: number;
  execute?: Execute;
}

const MINUTE = 60_000;
const TIME_LIMIT = 20 * MINUTE;

const LOCKED = /Could not get lock|Unable to (?:acquire|lock)|is another process using it/i;
const UNREACHABLE =
  /Temporary failure resolving|Could not resolve|Could not connect|Connection (?:failed|timed out|refused)|Network is unreachable|Unable to connect/i;
const UNKNOWN = /Unable to locate package|has no installation candidate|Couldn't find any package/i;
const STALE = /404 {1,2}Not Found|Unable to fetch some archives|Hash Sum mismatch/i;

/**
 * Installs Debian packages as root, without the ones they merely recommend. The lists are brought up to
 * date only when they do not know a package, or name files that the mirror no longer has.
 *
 * @throws {SetupError}
 */
export async function installPackages(names: string[], options: AptOptions = {}): Promise<void> {
  if (names.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...names];
  try {
    await aptGet(install, options);
  } catch (error) {
    const outdated =
      error instanceof SetupError &&
      (error.code === 'ERR_SETUP_PACKAGE_UNKNOWN' || STALE.test(`${error.message}${detailOf(error)}`));
    if (!outdated) throw error;
    await aptGet(['update'], options);
    await aptGet(install, options);
  }
}

/**
 * Runs apt-get without questions, waiting while another program holds its locks.
 *
 * @throws {SetupError}
 */
export async function aptGet(args: string[], options: AptOptions = {}): Promise<string> {
  const { lockPatienceMs = 2 * MINUTE, lockPollMs = 2000, signal } = options;
  const run = options.execute ?? execute;
  const deadline = Date.now() + lockPatienceMs;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  for (;;) {
    try {
      const { stdout } = await run('apt-get', [...DPKG_OPTIONS, ...args], {
        env,
        timeoutMs: TIME_LIMIT,
        signal,
      });
      return stdout;
    } catch (error) {
      const failure = translate(error, args);
      if (failure.code !== 'ERR_SETUP_LOCKED' || Date.now() >= deadline) throw failure;
      await delay(lockPollMs, undefined, { signal });
    }
  }
}

/** A configuration file that somebody changed is kept, as the default answer to dpkg's question would. */
const DPKG_OPTIONS = [
  '--quiet',
  '-o',
  'Dpkg::Options::=--force-confdef',
  '-o',
  'Dpkg::Options::=--force-confold',
];

function translate(error: unknown, args: string[]): SetupError {
  const command = `apt-get ${args.filter((word) => !/^-|::/.test(word)).join(' ')}`;
  const options = { cause: error };
  if (error instanceof ToolMissingError) {
    return new SetupError(
      'ERR_SETUP_NO_APT',
      'this system has no apt-get, so Garua cannot install what it needs',
      'Install the programs with your own package manager and set GARUA_HOST_SETUP=skip.',
      options,
    );
  }
  if (!(error instanceof ToolFailedError)) throw error;
  const text = error.stderr;
  if (LOCKED.test(text)) {
    return new SetupError(
      'ERR_SETUP_LOCKED',
      `${command} cannot start: another program is installing packages`,
      'Wait until it has finished (often unattended-upgrades after start-up), then try again.',
      options,
    );
  }
  if (UNREACHABLE.test(text)) {
    return new SetupError(
      'ERR_SETUP_NETWORK',
      `${command} cannot reach the package mirror: ${firstError(text)}`,
      'Connect the machine to the network, then try again.',
      options,
    );
  }
  if (UNKNOWN.test(text)) {
    return new SetupError(
      'ERR_SETUP_PACKAGE_UNKNOWN',
      `${command} failed: ${firstError(text)}`,
      'Check the sources in /etc/apt, or install the program yourself and set GARUA_HOST_SETUP=skip.',
      options,
    );
  }
  return new SetupError(
    'ERR_SETUP_INSTALL_FAILED',
    `${command} failed: ${firstError(text)}`,
    'Run the command yourself to see all that it says.',
    options,
  );
}

/** apt prefixes what matters with `E:`. */
function firstError(text: string): string {
  const lines = text.trim().split('\n');
  return (lines.find((line) => line.startsWith('E:')) ?? lines.at(-1) ?? '').replace(/^E:\s*/, '');
}

function detailOf(error: SetupError): string {
  return error.cause instanceof ToolFailedError ? error.cause.stderr : '';
}
