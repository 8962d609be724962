import { existsSync, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute } from '../../../../lib/base';
import { CACHE } from '../../harness/paths';

/** The peer that objects are measured against; nothing else of the project needs it. */
const PACKAGES = [
  '@helia/bitswap@4',
  '@ipld/dag-pb@4',
  '@libp2p/identify@4',
  '@libp2p/noise@17',
  '@libp2p/tcp@11',
  '@libp2p/yamux@8',
  'libp2p@3',
];

/** Over a slow line, too. */
const INSTALL_MS = 10 * 60_000;

/** Installs them where no other program looks, once; answers the folder. */
export async function bitswapModules(say: (line: string) => void): Promise<string> {
  const folder = join(CACHE, 'bitswap');
  const done = join(folder, 'installed');
  if (existsSync(done)) return folder;
  say('installing js bitswap');
  mkdirSync(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"private": true}\n');
  await execute('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', ...PACKAGES], {
    timeoutMs: INSTALL_MS,
  });
  await writeFile(done, '');
  return folder;
}
