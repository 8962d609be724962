import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, lstatSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatSize, type Progress, toGaruaError } from '../../base';
import { installPackages } from './apt';
import { DEFAULT_PREFIX, knownCriu, prepareCriu } from './criu';
import { type HostPackage, missingPackages, type Purpose } from './packages';
import { findProgram } from './programs';
import { SetupError } from './setup-error';

/**
 * The program that brings this machine what Garua needs: `node main.js --for tests --prefix DIR`. It says
 * what it is going to install before it does, asks sudo when not root, and does nothing when nothing is
 * missing. `GARUA_HOST_SETUP=skip` makes it say what is missing and leave the machine alone.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      for: { type: 'string', default: 'containers' },
      prefix: { type: 'string', default: DEFAULT_PREFIX },
      // Given to the run under sudo: what is missing has been listed already.
      listed: { type: 'boolean', default: false },
    },
  });
  const prefix = resolve(values.prefix);
  const missing = missingPackages(values.for as Purpose);
  const known = await knownCriu(prefix);
  if (missing.length === 0 && known) return;

  const skip = process.env.GARUA_HOST_SETUP === 'skip';
  if (missing.length > 0 && !values.listed) printMissing(missing, skip);
  if (skip) return;
  if (process.getuid?.() !== 0) return runAsRoot();

  if (missing.length > 0) {
    say(`Installing ${missing.length} packages with apt-get (a minute, with Chromium several) ...`);
    await installPackages(missing.map(({ name }) => name));
  }
  if (!known) {
    say(
      'Looking for a CRIU that works on this kernel (needed only to move running containers, up to a minute) ...',
    );
    const state = await prepareCriu(prefix, { onProgress: printProgress });
    for (const { program, version, reason } of state.rejected) say(`  ${program} ${version}: ${reason}`);
    if (state.program) say(`  CRIU ${state.version} works: ${state.program}`);
    else
      say('  warning: no CRIU works here. Containers run all the same, but cannot be moved while they run.');
  }
  giveBack(prefix);
}

function printMissing(missing: HostPackage[], skip: boolean): void {
  const width = Math.max(...missing.map(({ name }) => name.length));
  say('Garua needs these Debian packages, which are not here:');
  for (const { name, use } of missing) say(`  ${name.padEnd(width)}  ${use}`);
  say(
    skip
      ? '  GARUA_HOST_SETUP=skip is set: install them yourself.'
      : '  Set GARUA_HOST_SETUP=skip to install them yourself.',
  );
}

function runAsRoot(): void {
  const sudo = findProgram('sudo');
  if (!sudo) {
    throw new SetupError(
      'ERR_SETUP_NOT_ROOT',
      'this machine has to be set up by root, and there is no sudo',
      'Run the command as root, or install what is listed above and set GARUA_HOST_SETUP=skip.',
    );
  }
  say('This needs root: sudo may ask for your password.');
  const keep = ['PATH', 'HOME', 'http_proxy', 'https_proxy'].filter(
    (name) => process.env[name] !== undefined,
  );
  const environment = keep.map((name) => `${name}=${process.env[name]}`);
  const { status } = spawnSync(
    sudo,
    ['env', ...environment, process.execPath, ...process.argv.slice(1), '--listed'],
    {
      stdio: 'inherit',
    },
  );
  process.exitCode = status ?? 1;
}

/** What was made under sudo belongs to the person who asked for it, so that they can remove it. */
function giveBack(prefix: string): void {
  const [user, group] = [Number(process.env.SUDO_UID), Number(process.env.SUDO_GID)];
  const owner = existsSync(prefix) ? lstatSync(prefix).uid : 0;
  if (!user || owner !== user) return;
  for (const name of ['criu', 'criu.json']) {
    const path = join(prefix, name);
    if (!existsSync(path)) continue;
    chownSync(path, user, group);
    if (!lstatSync(path).isDirectory()) continue;
    for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
      if (!entry.isSymbolicLink()) chownSync(join(entry.parentPath, entry.name), user, group);
    }
  }
}

function printProgress({ phase, done, unit }: Progress): void {
  say(`  ${phase}${unit === 'bytes' ? ` ${formatSize(done)}` : ''} ...`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

main().catch((error) => {
  const { code, message, hint } = toGaruaError(error, 'setting up this machine');
  process.stderr.write(`error ${code}: ${message}\nhint: ${hint}\n`);
  process.exitCode = 1;
});
