/** A demo's Node-RED. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, node, root } from '../set-up/shared.mjs';
import { startBeside } from './processes.mjs';

/** Starts it with its user folder in `folder`; the first time with these flows. */
export function startNodeRed(folder, { port, flows, variables }) {
  const user = join(folder, 'node-red');
  mkdirSync(user, { recursive: true });
  const secret = join(user, 'credential-secret');
  if (!existsSync(secret)) writeFileSync(secret, randomBytes(32).toString('hex'), { mode: 0o600 });
  const file = join(user, 'flows.json');
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(flows()));
  const settings = join(root, 'scripts/demo/node-red-settings.cjs');
  const args = [join(root, 'node_modules/node-red/red.js'), '--userDir', user, '--settings', settings];
  return startBeside(node, [...args, '--port', String(port)], join(folder, 'node-red.log'), {
    env: environment({ GARUA_DEMO_FOLDER: folder, ...variables }),
  });
}
