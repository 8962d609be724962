import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mknod, mount, unmountDetached } from '../../../lib/base';
import { createLayerFolder, LayerExtractor } from '../../../lib/image/extract';
import { tarArchive, tarEntry } from '../../support/tar';
import { extractInto, inAllPieces, withFolder } from './support';

/** Descriptors that this process has open below a folder. */
function openBelow(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      // The descriptor of this very listing is closed again.
      return [];
    }
  });
}

describe('image/extract: LayerExtractor', () => {
  inAllPieces('counts entries and bytes, not extension headers', (extract) => {
    const archive = tarArchive([
      { name: 'a', pax: { uid: '1' } },
      { name: 'n'.repeat(200), format: 'gnu' },
    ]);
    assert.deepEqual(extract(archive).summary, { entries: 2, bytes: archive.length, skippedXattrs: 0 });
  });

  it('writes files that are larger than any piece', () => {
    withFolder((folder) => {
      const content = Buffer.alloc(5_000_001, 'large content ');
      extractInto(folder, tarArchive([{ name: 'large', content }]), 1 << 20);
      assert.ok(readFileSync(join(folder, 'large')).equals(content));
    });
  });

  it('says that the disk is full, with the folder and the way out', () => {
    withFolder((folder) => {
      mount('none', folder, 'tmpfs', 0, 'size=64k');
      try {
        const archive = tarArchive([{ name: 'large', content: Buffer.alloc(1 << 20) }]);
        assert.throws(() => extractInto(folder, archive, 1000), {
          code: 'ERR_DISK_FULL',
          message: new RegExp(folder),
        });
      } finally {
        unmountDetached(folder);
      }
    });
  });

  it('stays failed, and holds no descriptor after a failure or a close', () => {
    withFolder((folder) => {
      const begun = tarEntry({ name: 'file', content: 'x'.repeat(2000) }).subarray(0, 1000);
      const abandoned = new LayerExtractor(folder);
      abandoned.write(begun);
      assert.deepEqual(openBelow(folder), [join(folder, 'file')]);
      abandoned.close();
      abandoned.close();
      assert.deepEqual(openBelow(folder), []);

      const failing = new LayerExtractor(folder);
      failing.write(begun);
      assert.throws(() => failing.end(), { code: 'ERR_LAYER_CORRUPT' });
      assert.deepEqual(openBelow(folder), []);
      assert.throws(() => failing.write(begun), { code: 'ERR_LAYER_CORRUPT' });
      assert.throws(() => failing.end(), { code: 'ERR_LAYER_CORRUPT' });
    });
  });

  it('shows no control characters of a name in its messages', () => {
    withFolder((folder) => {
      const archive = tarArchive([{ name: '../\u001b[31mred' }]);
      assert.throws(() => extractInto(folder, archive), { message: /\.\.\/\\x1b\[31mred/ });
    });
  });

  it('does not let a root with a set-group-ID bit change the group of files', () => {
    withFolder((folder) => {
      chownSync(folder, 0, 50);
      chmodSync(folder, 0o2700);
      extractInto(folder, tarArchive([{ name: 'a' }]));
      assert.deepEqual([statSync(join(folder, 'a')).gid, statSync(folder).mode & 0o7777], [0, 0o755]);
    });
  });

  it('gives implied folders the attributes that they have in the layers below', () => {
    withFolder((folder) => {
      const [root, middle, bottom] = ['root', 'middle', 'bottom'].map((name) => join(folder, name));
      for (const path of [root!, middle!, join(bottom!, 'tmp/deep'), join(bottom!, 'gone')]) {
        mkdirSync(path, { recursive: true });
      }
      chmodSync(join(bottom!, 'tmp'), 0o1777);
      chownSync(join(bottom!, 'tmp/deep'), 7, 8);
      chmodSync(join(bottom!, 'gone'), 0o700);
      mknod(join(middle!, 'gone'), 0o020000, 0, 0);
      writeFileSync(join(middle!, 'other'), 'no folder');
      const archive = tarArchive([{ name: 'tmp/deep/file' }, { name: 'gone/file' }, { name: 'other/file' }]);
      extractInto(root!, archive, 512, { lowerFolders: [middle!, bottom!] });
      const facts = ['tmp', 'tmp/deep', 'gone', 'other'].map((name) => {
        const { mode, uid, gid } = statSync(join(root!, name));
        return [mode & 0o7777, uid, gid];
      });
      assert.deepEqual(facts, [
        [0o1777, 0, 0],
        [0o755, 7, 8],
        [0o755, 0, 0],
        [0o755, 0, 0],
      ]);
    });
  });
});

describe('image/extract: createLayerFolder', () => {
  it('makes an empty folder under its final name only, and refuses to replace a used one', () => {
    withFolder((folder) => {
      createLayerFolder(join(folder, 'layer'));
      assert.deepEqual(readdirSync(folder), ['layer']);
      writeFileSync(join(folder, 'layer/file'), 'x');
      assert.throws(() => createLayerFolder(join(folder, 'layer')), { code: 'ENOTEMPTY' });
      assert.deepEqual(readdirSync(folder), ['layer']);
    });
  });
});
