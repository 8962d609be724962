/** Builds `dist/` when a source has changed since the last time. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exists, node, readStamps, root, run, SetupError, say, writeStamp } from './shared.mjs';

const SOURCES = ['lib', 'nodes', 'test', 'icons', 'scripts/build.mjs', 'tsconfig.json', 'package.json'];

export function compile() {
  const wanted = fingerprint();
  if (exists(join(root, 'dist/lib')) && readStamps().build === wanted) return;
  say('Compiling (seconds) ...');
  if (run(node, [join(root, 'scripts/build.mjs')], { stdio: ['ignore', 2, 2] }) !== 0) {
    throw new SetupError(
      'ERR_SETUP_BUILD',
      'the sources do not compile',
      'The compiler names the places above.',
    );
  }
  writeStamp('build', wanted);
}

/** Changes when any source appears, disappears or is written: names, sizes and times, not contents. */
function fingerprint() {
  const hash = createHash('sha256');
  const visit = (path) => {
    if (!exists(path)) return;
    const status = statSync(path);
    if (!status.isDirectory()) {
      hash.update(`${path}\0${status.size}\0${status.mtimeMs}\n`);
      return;
    }
    for (const name of readdirSync(path).sort()) visit(join(path, name));
  };
  for (const source of SOURCES) visit(join(root, source));
  return hash.digest('hex');
}
