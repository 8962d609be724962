import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase, Reserve } from '../../lib/base';
import { SmallDisk } from '../faults/tools';

describe('base: the reserve of a full disk', () => {
  let disk: SmallDisk;
  let path: string;
  let file: string;
  beforeEach(async () => {
    disk = new SmallDisk('24m');
    await mkdir(join(disk.path, 'data'));
    path = join(disk.path, 'data/garua.db');
    file = join(disk.path, 'data/reserve');
  });
  afterEach(() => disk.tearDown());

  it('lets the index open where there is no byte left, and comes back later', () => {
    openDatabase(path).close();
    assert.equal(statSync(file).size, 1 << 20);
    disk.fill(0);
    const database = openDatabase(path);
    database.exec('CREATE TABLE t (x)');
    assert.equal(existsSync(file), false);
    database.close();
    openDatabase(path).close();
    assert.equal(existsSync(file), false);
    disk.free();
    openDatabase(path).close();
    assert.equal(statSync(file).size, 1 << 20);
  });

  it('is spent for a full disk alone, and only once', () => {
    openDatabase(path).close();
    const reserve = new Reserve(path);
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    let calls = 0;
    const fail = (error: Error) => () => {
      calls += 1;
      throw error;
    };
    assert.throws(() => reserve.spend(fail(new Error('else'))), /else/);
    assert.equal(existsSync(file), true);
    assert.throws(() => reserve.spend(fail(full)), /full/);
    assert.equal(existsSync(file), false);
    assert.throws(() => reserve.spend(fail(full)), /full/);
    assert.equal(calls, 4);
  });

  it('is not made on a disk that has hardly more room than that', () => {
    disk.fill((4 << 20) / 4096);
    openDatabase(path).close();
    assert.equal(existsSync(file), false);
  });
});
