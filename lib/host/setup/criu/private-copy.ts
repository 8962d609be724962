import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execute, type LongCall } from '../../../base';
import { aptGet, type Execute } from '../apt';
import { type AptSource, debianMirror, readAptSources } from '../apt-sources';
import { SetupError } from '../setup-error';

export interface PrivateCopyOptions extends LongCall {
  execute?: Execute;
  /** The machine's apt configuration. Default `/etc/apt`. */
  aptFolder?: string;
}

/** Debian's development suite: the only one whose CRIU copes with kernels of 6.16 and later. */
const SUITE = 'sid';

/** Where the program is found inside a private copy. */
export function privateCriu(folder: string): string {
  return join(folder, 'bin/criu');
}

/**
 * Brings Debian's newest CRIU with every library it needs into one folder, and leaves the system as it
 * is: a newer libc could not be installed without upgrading everything. Needs no root.
 *
 * apt itself works out the packages and verifies them, against package lists of its own and an empty
 * system. The machine's own mirror and Debian's archive keys are used.
 *
 * @throws {SetupError}
 */
export async function installPrivateCriu(folder: string, options: PrivateCopyOptions = {}): Promise<void> {
  const run = options.execute ?? execute;
  const { signal } = options;
  const mirror = debianMirror(readAptSources(options.aptFolder));
  if (!mirror) {
    throw new SetupError(
      'ERR_SETUP_NO_MIRROR',
      'none of the sources in /etc/apt is a Debian mirror, so no newer CRIU can be had from there',
      'Install CRIU 4.2 or later yourself; only moving running containers needs it.',
    );
  }
  const work = `${folder}.partial`;
  await rm(work, { recursive: true, force: true });
  try {
    const { stdout } = await run('dpkg', ['--print-architecture'], { signal });
    const settings = await privateApt(join(work, 'apt'), mirror, stdout.trim());
    options.onProgress?.({ phase: 'listing', done: 0, total: 3, unit: 'steps' });
    await aptGet([...settings, 'update'], options);
    options.onProgress?.({ phase: 'downloading', done: 1, total: 3, unit: 'steps' });
    await aptGet([...settings, '--yes', '--download-only', 'install', 'criu'], options);
    options.onProgress?.({ phase: 'unpacking', done: 2, total: 3, unit: 'steps' });
    const archives = join(work, 'apt/archives');
    for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg', ['-x', join(archives, file), join(work, 'root')], { signal });
    }
    await rm(join(work, 'apt'), { recursive: true });
    await useOwnLibraries(work, folder, run);
    await mkdir(join(work, 'bin'));
    await symlink('../root/usr/sbin/criu', join(work, 'bin/criu'));
    await rm(folder, { recursive: true, force: true });
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Options that make apt-get work on lists of its own, for a system on which nothing is installed. */
async function privateApt(folder: string, mirror: AptSource, architecture: string): Promise<string[]> {
  for (const name of ['parts', 'lists/partial', 'archives/partial', 'state', 'cache']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await writeFile(join(folder, 'status'), '');
  const source = {
    Types: 'deb',
    URIs: mirror.uri,
    Suites: SUITE,
    Components: 'main',
    Architectures: architecture,
    'Signed-By': mirror.signedBy ?? '/usr/share/keyrings/debian-archive-keyring.gpg',
  };
  const stanza = Object.entries(source).map(([field, value]) => `${field}: ${value}\n`);
  await writeFile(join(folder, 'parts/private.sources'), stanza.join(''));
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(folder, 'parts'),
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': join(folder, 'state'),
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Cache::archives': join(folder, 'archives'),
    'APT::Architectures': architecture,
    'APT::Install-Recommends': 'false',
    'APT::Default-Release': '',
    // These folders are the caller's own, which apt's sandbox user need not be able to enter.
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': 'true',
    'Acquire::Languages': 'none',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** Lets the program load only what came with it; the paths are those after the folder's last rename. */
async function useOwnLibraries(work: string, folder: string, run: Execute): Promise<void> {
  const libraries = join('root/usr/lib', onlyMatch(join(work, 'root/usr/lib'), /-linux-gnu$/));
  const loader = onlyMatch(join(work, libraries), /^ld-linux-.*\.so\.\d+$/);
  await run('patchelf', [
    '--set-interpreter',
    join(folder, libraries, loader),
    '--force-rpath',
    '--set-rpath',
    join(folder, libraries),
    join(work, 'root/usr/sbin/criu'),
  ]);
}

function onlyMatch(folder: string, pattern: RegExp): string {
  const name = existsSync(folder) ? readdirSync(folder).find((entry) => pattern.test(entry)) : undefined;
  if (name) return name;
  throw new SetupError(
    'ERR_SETUP_INSTALL_FAILED',
    `the downloaded CRIU has nothing like ${pattern} in ${dirname(folder)}`,
    'Install CRIU 4.2 or later yourself; only moving running containers needs it.',
  );
}
