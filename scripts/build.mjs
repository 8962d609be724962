/** Compiles the sources and puts what Node-RED needs beside each node. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { placeNodeFiles } from './node-files.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

removeOrphans();
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', root], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

placeNodeFiles(root);
chmodSync(join(root, 'dist/lib/cli/main.js'), 0o755);

/** A test whose source is gone would run on for ever from its compiled file. */
function removeOrphans() {
  for (const folder of ['lib', 'nodes', 'test']) {
    const built = join(root, 'dist', folder);
    if (!existsSync(built)) continue;
    for (const entry of readdirSync(built, { recursive: true })) {
      const stem = /^(.*)\.(?:js|js\.map|d\.ts)$/.exec(entry)?.[1];
      if (stem && !existsSync(join(root, folder, `${stem}.ts`))) rmSync(join(built, entry));
    }
  }
}
