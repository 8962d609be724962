import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { writeFileAtomic } from '../../lib/base';
import { temporaryFolder } from '../support/temporary';

describe('writeFileAtomic', () => {
  const folder = temporaryFolder();

  it('replaces the content, with the mode asked for, and leaves nothing beside it', async () => {
    const path = folder.join('a/b/file');
    await writeFileAtomic(path, 'first');
    await writeFileAtomic(path, 'second', 0o600);
    assert.equal(readFileSync(path, 'utf8'), 'second');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder.join('a/b')), ['file']);
  });

  it('leaves nothing behind when it fails', async () => {
    mkdirSync(folder.join('target'));
    await assert.rejects(writeFileAtomic(folder.join('target'), 'x'));
    assert.ok(!readdirSync(folder.path).some((name) => name.endsWith('.tmp')));
  });
});
