/** The package as its users get it: packed, installed into a folder that knows nothing of this checkout. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT } from '../support/node-red';
import { temporaryFolder } from '../support/temporary';

const run = promisify(execFile);

describe('faults: the packed package', () => {
  const folder = temporaryFolder();

  it('has all it needs: its command, its library with types, its nodes', async () => {
    const user = folder.path;
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', user];
    const [{ filename, files }] = JSON.parse((await run('npm', pack, { cwd: PROJECT })).stdout);
    writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true }));
    const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--omit=dev', `./${filename}`];
    await run('npm', install, { cwd: user });

    const command = join(user, 'node_modules/.bin/garua');
    const version = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')).version;
    assert.equal((await run(command, ['--version'], { cwd: user })).stdout.trim(), version);
    const script = "const { openHost } = require('@garua/node-red-fog'); console.log(typeof openHost)";
    assert.equal((await run(process.execPath, ['-e', script], { cwd: user })).stdout.trim(), 'function');

    const packed = new Set(files.map(({ path }: { path: string }) => path));
    const {
      main,
      types,
      'node-red': nodeRed,
    } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
    for (const path of [main, types]) assert.ok(packed.has(path), path);
    for (const [node, path] of Object.entries<string>(nodeRed.nodes)) {
      const folderOf = path.slice(0, path.lastIndexOf('/'));
      const beside = [`${node}.html`, `locales/en-US/${node}.json`, `locales/en-US/${node}.html`];
      // A config node has no icon.
      if (existsSync(join(PROJECT, `icons/${node}.svg`))) beside.push(`icons/${node}.svg`);
      for (const file of [path, ...beside.map((name) => `${folderOf}/${name}`)]) {
        assert.ok(packed.has(file), `${file} is not in the package`);
      }
    }
    assert.ok(![...packed].some((path) => /^(dist\/)?test\//.test(String(path))), 'tests are not for users');
  });
});
