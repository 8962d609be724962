import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { migrate, openChecked, openIntactDatabase, SET_ASIDE } from '../../lib/base';
import { temporaryFolder } from '../support/temporary';

describe('a database that must open whatever became of its file', () => {
  const folder = temporaryFolder();
  const path = folder.join('garua.db');
  const aside = () => readdirSync(folder.path).filter((name) => name.includes(SET_ASIDE));

  /** Opens it; answers how many rows it has, and whether something was lost. */
  function look(): [rows: number, lost: boolean] {
    const { database, lost } = openIntactDatabase(path);
    migrate(database, 'test', ['CREATE TABLE filled (text TEXT)']);
    const rows = database.prepare('SELECT count(*) FROM filled').pluck().get() as number;
    const insert = database.prepare('INSERT INTO filled VALUES (?)');
    database.transaction(() => {
      for (let row = rows; row < 500; row += 1) insert.run('x'.repeat(100));
    })();
    database.close();
    return [rows, lost];
  }

  beforeEach(() => {
    for (const name of readdirSync(folder.path)) rmSync(folder.join(name));
    assert.deepEqual(look(), [0, true]);
    assert.deepEqual(look(), [500, false]);
  });

  it('is new, and the damaged one beside it', () => {
    const damages = [
      () => writeFileSync(path, Buffer.alloc(10_000, 'garbage')),
      () => truncateSync(path, Math.floor(statSync(path).size / 8192) * 4096),
    ];
    for (const damage of damages) {
      const before = aside().length;
      damage();
      assert.deepEqual(look(), [0, true]);
      assert.deepEqual(look(), [500, false]);
      assert.equal(aside().length, before + 1);
    }
  });

  it('is the old one where only its log is damaged, and says that something may be lost', () => {
    writeFileSync(`${path}-wal`, 'garbage');
    assert.deepEqual(look(), [500, true]);
    assert.equal(aside().length, 1);
    assert.deepEqual(look(), [500, false]);
  });

  it('is read as a whole when it is small, or the process before was killed, and else opens at once', () => {
    const damage = () => {
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.alloc(4096, 'x'), 0, 4096, 8 * 4096);
      closeSync(file);
    };
    damage();
    assert.throws(() => openChecked(path), { code: 'SQLITE_CORRUPT' });
    rmSync(path);
    look();
    const database = openChecked(path);
    database.exec('CREATE TABLE large (bytes BLOB); INSERT INTO large VALUES (zeroblob(20 << 20))');
    database.close();
    damage();
    openChecked(path).close();
    const killed = [`${path}-wal`, '-wal.kept'] as const;
    const open = openChecked(path);
    open.exec('DELETE FROM large');
    copyFileSync(killed[0], folder.join(killed[1]));
    open.close();
    renameSync(folder.join(killed[1]), killed[0]);
    assert.throws(() => openChecked(path), { code: 'SQLITE_CORRUPT' });
  });

  it('stays as it is where the file cannot be used for another reason', () => {
    rmSync(path);
    assert.throws(() => openIntactDatabase(folder.join('no', 'folder.db')));
    assert.deepEqual(aside(), []);
  });
});
