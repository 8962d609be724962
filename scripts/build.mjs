/** Compiles the sources and puts what Node-RED needs beside each node: dialog, icons, locales. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

removeOrphans();
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', root], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

for (const node of readdirSync(join(root, 'nodes'), { withFileTypes: true })) {
  if (!node.isDirectory()) continue;
  const [from, to] = [join(root, 'nodes', node.name), join(root, 'dist/nodes', node.name)];
  mkdirSync(to, { recursive: true });
  cpSync(join(root, 'icons'), join(to, 'icons'), { recursive: true });
  for (const entry of readdirSync(from)) {
    if (entry.endsWith('.html') || entry === 'locales')
      cpSync(join(from, entry), join(to, entry), { recursive: true });
  }
}
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
