/** Installs the packages of package-lock.json, when they are not those of the last time. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  asRoot,
  environment,
  exists,
  findProgram,
  node,
  readStamps,
  root,
  run,
  SetupError,
  say,
  writeStamp,
} from './shared.mjs';

/** zlib-sync is always built from source, by node-gyp. */
const BUILD_TOOLS = { python3: 'python3', make: 'make', 'g++': 'g++' };

export function prepareModules(npm) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const { stdout: abi } = spawnSync(node, ['-p', 'process.versions.modules'], { encoding: 'utf8' });
  const wanted = { lock, abi: abi.trim() };
  const done = readStamps().modules;
  const present = exists(join(root, 'node_modules/.package-lock.json'));
  if (present && done?.lock === wanted.lock && done.abi === wanted.abi) return;

  prepareBuildTools();
  const rebuildOnly = present && done?.lock === wanted.lock;
  if (rebuildOnly) {
    say('Packages: building the native modules for another Node.js (seconds) ...');
    install(npm, ['rebuild', '--no-fund', '--no-progress', '--loglevel=error']);
  } else {
    say('Packages: npm ci (about 350 packages, up to two minutes) ...');
    install(npm, ['ci', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error']);
  }
  writeStamp('modules', wanted);
}

function install(npm, args) {
  const variables = environment();
  // What the npm that started this task was told is not meant for this one.
  for (const name of Object.keys(variables)) {
    if (
      name.startsWith('npm_') &&
      !/^npm_config_(?:cache|registry|.*proxy|cafile|offline|prefer_offline|nodedir)$/i.test(name)
    )
      delete variables[name];
  }
  // npm's own output belongs to the set-up's, and stdout to the task.
  const status = run(node, [npm, ...args], { env: variables, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  throw new SetupError(
    'ERR_SETUP_PACKAGES',
    `npm ${args[0]} failed (status ${status})`,
    'What npm says above is the cause; without a network it cannot fetch packages.',
  );
}

function prepareBuildTools() {
  const missing = Object.keys(BUILD_TOOLS).filter((program) => !findProgram(program));
  if (missing.length === 0) return;
  const packages = missing.map((program) => BUILD_TOOLS[program]).join(' ');
  say(`Garua needs these Debian packages to build a native module: ${packages}`);
  if (process.env.GARUA_HOST_SETUP === 'skip') {
    throw new SetupError(
      'ERR_SETUP_BUILD_TOOLS',
      `${missing.join(', ')} missing, and GARUA_HOST_SETUP=skip is set`,
      `Install them yourself: apt-get install ${packages}`,
    );
  }
  say('  Set GARUA_HOST_SETUP=skip to install them yourself. Installing (up to two minutes) ...');
  const apt = (...args) => {
    const [program, words] = asRoot('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      DEBIAN_FRONTEND: 'noninteractive',
    });
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    return run(program, words, { stdio: ['inherit', 'ignore', 'inherit'], env });
  };
  const install = ['install', '--yes', '--no-install-recommends', ...packages.split(' ')];
  if (apt('update') !== 0 || apt(...install) !== 0) {
    throw new SetupError(
      'ERR_SETUP_BUILD_TOOLS',
      `apt-get could not install ${packages}`,
      'What apt-get says above is the cause; or install them yourself.',
    );
  }
}
