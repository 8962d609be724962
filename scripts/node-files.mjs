/**
 * Puts what Node-RED needs beside each compiled node: dialog, icons, locales. A dialog is NAME.html, or in parts:
 * `editor/*.html`, joined in the order of their names. `node scripts/node-files.mjs` does it alone.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function placeNodeFiles(root) {
  for (const node of readdirSync(join(root, 'nodes'), { withFileTypes: true })) {
    if (!node.isDirectory()) continue;
    const [from, to] = [join(root, 'nodes', node.name), join(root, 'dist/nodes', node.name)];
    mkdirSync(to, { recursive: true });
    cpSync(join(root, 'icons'), join(to, 'icons'), { recursive: true });
    for (const entry of readdirSync(from)) {
      if (entry.endsWith('.html') || entry === 'locales')
        cpSync(join(from, entry), join(to, entry), { recursive: true });
    }
    const dialog = `${node.name}.html`;
    const parts = join(from, 'editor');
    if (!existsSync(parts)) continue;
    if (existsSync(join(from, dialog))) throw new Error(`${node.name} has both ${dialog} and editor/`);
    writeFileSync(join(to, dialog), joined(parts));
  }
}

function joined(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.html'));
  return names
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

const file = fileURLToPath(import.meta.url);
if (process.argv[1] === file) placeNodeFiles(dirname(dirname(file)));
