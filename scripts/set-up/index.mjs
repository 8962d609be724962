/** Brings everything that a task needs; a second run finds it done and ends at once. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './compile.mjs';
import { prepareModules } from './modules.mjs';
import { prepareNode } from './node.mjs';
import { exists, node, root, run, SetupError, say, toolchain } from './shared.mjs';

/** @param {'containers' | 'demo' | 'tests' | undefined} purpose what the machine itself is set up for */
export function setUp(purpose) {
  const unlock = waitForTurn();
  try {
    prepareModules(prepareNode());
    compile();
    if (purpose) prepareMachine(purpose);
  } finally {
    unlock();
  }
}

/** Two set-ups at once would remove each other's packages. */
function waitForTurn() {
  mkdirSync(toolchain, { recursive: true });
  const lock = join(toolchain, 'set-up.pid');
  for (let attempt = 0; ; attempt += 1) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!holdsLock(lock)) rmSync(lock, { force: true });
    else if (attempt === 0) say('Waiting for another set-up of this checkout to end ...');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
}

function holdsLock(lock) {
  const pid = exists(lock) ? readFileSync(lock, 'utf8') : '';
  const command = `/proc/${pid}/cmdline`;
  return pid !== '' && exists(command) && readFileSync(command, 'utf8').includes('with-toolchain');
}

function prepareMachine(purpose) {
  const program = join(root, 'dist/lib/host/setup/main.js');
  const status = run(node, [program, '--for', purpose, '--prefix', toolchain], { stdio: ['inherit', 2, 2] });
  if (status !== 0) {
    const error = new SetupError('', '', '');
    // The program has said already what is wrong.
    error.reported = true;
    error.exitCode = status;
    throw error;
  }
}
