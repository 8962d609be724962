import assert from 'node:assert/strict';
import { Journal, migrate, openDatabase } from '../../lib/base';
import { temporaryFolder } from '../support/temporary';

describe('Journal', () => {
  const folder = temporaryFolder();

  it('keeps what was not ended, with its last step and data, over a restart', () => {
    const path = folder.join('journal.db');
    const before = openDatabase(path);
    const journal = new Journal(before);
    const done = journal.begin('commit', 'a', 'begun', {});
    const open = journal.begin('commit', 'b', 'begun', { size: 1 });
    const other = journal.begin('deploy', 'c', 'begun', null);
    journal.advance(open, 'renamed', { size: 2 });
    journal.advance(open, 'indexed');
    journal.end(done);
    before.close();

    const after = new Journal(openDatabase(path));
    assert.deepEqual(after.unfinished('commit'), [
      { id: open, kind: 'commit', subject: 'b', step: 'indexed', data: { size: 2 } },
    ]);
    assert.deepEqual(after.unfinished('deploy')[0]?.id, other);
  });
});

describe('migrate', () => {
  const folder = temporaryFolder();

  it('applies each step once, and undoes a failing one as a whole', () => {
    const database = openDatabase(folder.join('migrate.db'));
    const first = 'CREATE TABLE thing (id INTEGER)';
    migrate(database, 'test', [first]);
    migrate(database, 'test', [first, 'ALTER TABLE thing ADD COLUMN name TEXT']);
    assert.throws(() => migrate(database, 'test', [first, '', 'CREATE TABLE other (id INTEGER); nonsense']));
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE name IN ('thing', 'other')").all();
    assert.deepEqual(tables, [{ name: 'thing' }]);
    database.prepare("INSERT INTO thing VALUES (1, 'one')").run();
    database.close();
  });
});
