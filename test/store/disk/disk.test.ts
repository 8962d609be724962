import { deepEqual, equal } from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { Disk } from '../../../lib/store/disk/disk';
import { eventually } from '../../mesh/support/mesh-process';
import { temporaryFolder } from '../../support/temporary';

const LIMIT = 30_000;
const threads = () => readdirSync('/proc/self/task').length;

describe('the threads of a file system', () => {
  const folder = temporaryFolder();

  it('end when they have had nothing to do for a while, and begin again', async () => {
    const disk = new Disk(folder.path, LIMIT, 200);
    writeFileSync(folder.join('a'), '');
    deepEqual(await disk.run('names', folder.path), ['a']);
    const working = threads();
    await eventually(async () => threads() < working, true);
    deepEqual(await disk.run('names', folder.path), ['a']);
    await disk.close();
  });

  it('stay while an object is open', async () => {
    const disk = new Disk(folder.path, LIMIT, 50);
    const handle = disk.handle();
    await handle.run('createObject', [folder.join('object')]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    equal(await handle.run('append', [new Uint8Array(10)]), undefined);
    await handle.close();
    await disk.close();
  });
});
