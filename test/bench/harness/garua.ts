import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import { PROJECT } from './paths';

/** The `garua` command of this checkout. */
export const GARUA = join(PROJECT, 'dist', 'lib', 'cli', 'main.js');

/** Takes a container away that a Node-RED or a host which has ended left running. */
export async function removeContainer(name: string, data: string): Promise<void> {
  if (!existsSync(data)) return;
  await execute(process.execPath, [GARUA, 'rm', name, '--force', '--data', data], { allowFailure: true });
}
