/** Brings everything that a task needs; a second run finds it done and ends at once. */
import { join } from 'node:path';
import { compile } from './compile.mjs';
import { prepareModules } from './modules.mjs';
import { prepareNode } from './node.mjs';
import { node, root, run, SetupError, toolchain } from './shared.mjs';

/** @param {'containers' | 'demo' | 'tests' | undefined} purpose what the machine itself is set up for */
export function setUp(purpose) {
  prepareModules(prepareNode());
  compile();
  if (!purpose) return;
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
