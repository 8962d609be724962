/** Compiles the sources and puts what Node-RED needs beside each node: dialog, icons, locales. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root], {
  stdio: 'inherit',
});
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
if (existsSync(join(root, 'dist/lib/cli/main.js'))) {
  const { chmodSync } = await import('node:fs');
  chmodSync(join(root, 'dist/lib/cli/main.js'), 0o755);
}
