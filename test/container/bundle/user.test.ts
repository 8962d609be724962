import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readInRoot } from '../../../lib/container/bundle/rooted-path';
import { resolveUser } from '../../../lib/container/bundle/user';
import { temporaryFolder } from '../../support/temporary';

describe('container: the user of an image', () => {
  const folder = temporaryFolder();
  const root = folder.join('root');
  mkdirSync(folder.join('root/etc'), { recursive: true });

  const resolve = (text: string, more: string[] = []) => resolveUser(root, text, more, 'web');
  const unknown = { code: 'ERR_CONTAINER_USER_NOT_FOUND' };

  before(() => {
    const passwd = [
      'root:x:0:0:root:/root:/bin/sh\r',
      '# app:x:0:0::/:',
      '+::::::',
      '1000:x:0:0:a number as a name:/evil:/bin/sh',
      'app:x:1000:1001::/srv',
      'empty:x:::',
      'short:x:7',
      'wrong:x:ten:10::/:',
      'broken:x:1002:many::/:',
      'large:x:4294967295:1::/:',
      'app:x:0:0:a second one of the name::/:',
    ];
    writeFileSync(folder.join('root/etc/passwd'), passwd.join('\n'));
    writeFileSync(
      folder.join('root/etc/group'),
      'root:x:0:\ngpio:x:997:web,app\n1001:x:0:app\nbad:x:none:app\n',
    );
  });

  it('is found by name and by number, with its groups', async () => {
    const app = { uid: 1000, gid: 1001, additionalGids: [1001, 997, 0], home: '/srv' };
    assert.deepEqual(await resolve('app'), app);
    assert.deepEqual(await resolve(''), { uid: 0, gid: 0, additionalGids: [0], home: '/root' });
    assert.deepEqual(await resolve('4711'), { uid: 4711, gid: 0, additionalGids: [0], home: '/' });
    assert.deepEqual((await resolve('app:gpio', ['30'])).additionalGids, [997, 30]);
  });

  it('is never another one than a number says, whatever names the image has', async () => {
    assert.equal((await resolve('1000')).uid, 1000);
    assert.equal((await resolve('01000')).home, '/srv');
    assert.equal((await resolve('app:1001')).gid, 1001);
  });

  it('is refused where its entry is no use, and does not become root for that', async () => {
    for (const name of [
      'empty',
      'short',
      'wrong',
      'broken',
      'large',
      '+',
      '#',
      'nobody',
      '4294967295',
      '-1',
    ]) {
      await assert.rejects(resolve(name), unknown, name);
    }
    assert.equal((await resolve('broken:gpio')).gid, 997);
    await assert.rejects(resolve('app:bad'), unknown);
    await assert.rejects(resolve('app', ['none']), unknown);
  });

  it('is read from a file of any length, up to its last whole line', async () => {
    const path = folder.join('root/etc/long');
    writeFileSync(path, 'name:x:1:1::/:\n'.repeat(100_000));
    const text = await readInRoot(root, '/etc/long');
    assert.ok(text.length > 1_000_000 && text.length <= 1 << 20);
    assert.ok(text.endsWith('\n'));
    rmSync(path);
  });

  it('is not read from outside of the root, where links lead', async () => {
    writeFileSync(folder.join('outside'), 'secret');
    symlinkSync('../../../../../../outside', folder.join('root/etc/link'));
    symlinkSync(folder.path, folder.join('root/away'));
    for (const path of ['/etc/link', '/away/outside', '/etc', '/etc/none', '/etc/passwd/below']) {
      assert.equal(await readInRoot(root, path), '', path);
    }
  });
});
