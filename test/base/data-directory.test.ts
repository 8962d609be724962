import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DataDirectory, DataDirectoryInUseError } from '../../lib/base';
import { temporaryFolder } from '../support/temporary';

const OWNER = `
  const { DataDirectory } = require(${JSON.stringify(join(__dirname, '../../lib/base'))});
  new DataDirectory(process.argv[1]).acquire();
  console.log('owned');
  setInterval(() => {}, 1000);
`;

describe('DataDirectory', () => {
  const folder = temporaryFolder();

  it('has one owner at a time', () => {
    const [first, second] = [new DataDirectory(folder.join('one')), new DataDirectory(folder.join('one'))];
    first.acquire();
    assert.throws(() => second.acquire(), DataDirectoryInUseError);
    first.close();
    second.acquire();
    second.close();
  });

  it('is free again when its owner was killed', async () => {
    const path = folder.join('killed');
    const owner = spawn(process.execPath, ['-e', OWNER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(owner.stdout!, 'data');
    const directory = new DataDirectory(path);
    assert.throws(() => directory.acquire(), { code: 'ERR_DATA_DIRECTORY_IN_USE' });
    owner.kill('SIGKILL');
    await once(owner, 'close');
    directory.acquire();
    directory.close();
  });
});
