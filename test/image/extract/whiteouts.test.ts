import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TarEntryOptions } from '../../support/tar';
import { readXattrs } from '../../support/tree';
import { inAllPieces } from './support';

const dir = (name: string): TarEntryOptions => ({ name, type: 'directory' });
const file = (name: string, content = ''): TarEntryOptions => ({ name, content });

function isWhiteout(path: string): boolean {
  const found = lstatSync(path);
  return found.isCharacterDevice() && found.rdev === 0;
}

function isOpaque(path: string): boolean {
  return readXattrs(path)['trusted.overlay.opaque'] === 'y';
}

describe('image/extract: whiteouts', () => {
  inAllPieces('hides a name with a character device 0:0', (extract) => {
    const { root, summary } = extract([file('a/.wh.gone', 'content is of no account')]);
    assert.deepEqual(readdirSync(join(root, 'a')), ['gone']);
    assert.ok(isWhiteout(join(root, 'a/gone')));
    assert.equal(summary.entries, 1);
  });

  inAllPieces(
    'marks a folder opaque and keeps the entries of the same layer, whatever the order',
    (extract) => {
      for (const order of [
        [dir('a'), file('a/new', 'x'), file('a/.wh..wh..opq')],
        [file('a/.wh..wh..opq'), dir('a'), file('a/new', 'x')],
        [dir('a'), file('a/.wh..wh..opq'), file('a/new', 'x')],
      ]) {
        const { root } = extract(order);
        assert.ok(isOpaque(join(root, 'a')));
        assert.deepEqual(readdirSync(join(root, 'a')), ['new']);
      }
    },
  );

  inAllPieces('makes the whole root opaque', (extract) => {
    const { root } = extract([file('.wh..wh..opq'), file('only')]);
    assert.ok(isOpaque(root));
  });

  inAllPieces('lets the file of this layer win over its whiteout, whatever the order', (extract) => {
    for (const order of [
      [file('a/x', 'here'), file('a/.wh.x')],
      [file('a/.wh.x'), file('a/x', 'here')],
      [file('a/.wh.x'), file('a/x', 'here'), file('a/.wh.x')],
    ]) {
      assert.equal(readFileSync(join(extract(order).root, 'a/x'), 'utf8'), 'here');
    }
  });

  inAllPieces('makes a folder opaque that this layer both removes and has', (extract) => {
    for (const order of [
      [file('.wh.a'), dir('a'), file('a/x', 'here')],
      [dir('a'), file('a/x', 'here'), file('.wh.a')],
      [file('.wh.a'), file('a/x', 'here')],
      [file('a/x', 'here'), file('.wh.a')],
    ]) {
      const { root } = extract(order);
      assert.equal(readFileSync(join(root, 'a/x'), 'utf8'), 'here');
      assert.ok(isOpaque(join(root, 'a')));
    }
  });

  inAllPieces('takes a whiteout of any type, and twice', (extract) => {
    const { root } = extract([
      dir('.wh.a'),
      { name: '.wh.b', type: 'symlink', linkname: 'x' },
      file('.wh.a'),
    ]);
    assert.ok(isWhiteout(join(root, 'a')));
    assert.ok(isWhiteout(join(root, 'b')));
  });

  inAllPieces('keeps a folder whose name begins as a whiteout', (extract) => {
    const { root } = extract([file('.wh.etc/somefile', 'non-empty')]);
    assert.equal(readFileSync(join(root, '.wh.etc/somefile'), 'utf8'), 'non-empty');
  });

  inAllPieces("leaves AUFS's own files out", (extract) => {
    const { root } = extract([file('.wh..wh.aufs', 'x'), dir('.wh..wh.plnk'), file('a')]);
    assert.deepEqual(readdirSync(root), ['a']);
  });

  inAllPieces('lets no layer forge overlay marks', (extract) => {
    const xattrs = { 'trusted.overlay.opaque': 'y', 'user.overlay.opaque': 'y', 'user.ok': 'yes' };
    const { root, summary } = extract([{ ...dir('a'), xattrs }]);
    assert.deepEqual(readXattrs(join(root, 'a')), { 'user.ok': 'yes' });
    assert.equal(summary.skippedXattrs, 2);
  });

  inAllPieces('refuses a hard link to what is not in this layer', (extract) => {
    const link: TarEntryOptions = { name: 'b', type: 'hardlink', linkname: 'a' };
    assert.throws(() => extract([link]), {
      code: 'ERR_LAYER_CORRUPT',
      message: /hard link b to a has no target/,
    });
    assert.throws(() => extract([file('.wh.a'), link]), { code: 'ERR_LAYER_CORRUPT' });
  });
});

describe('image/extract: replacement', () => {
  inAllPieces('lets the last of two entries win', (extract) => {
    const { root } = extract([
      { ...file('a', 'the first, longer one'), mode: 0o4755 },
      { ...file('a', 'second'), mode: 0o600 },
    ]);
    assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'second');
    assert.equal(lstatSync(join(root, 'a')).mode & 0o7777, 0o600);
  });

  inAllPieces('keeps what a folder holds when it comes again, and updates it', (extract) => {
    const { root } = extract([
      dir('a'),
      file('a/x', 'kept'),
      { ...dir('a'), mode: 0o700, uid: 7, gid: 8, mtime: 5 },
    ]);
    const found = lstatSync(join(root, 'a'));
    assert.equal(readFileSync(join(root, 'a/x'), 'utf8'), 'kept');
    assert.deepEqual([found.mode & 0o7777, found.uid, found.gid, found.mtimeMs], [0o700, 7, 8, 5000]);
  });

  inAllPieces('gives a folder back to root when it comes again', (extract) => {
    const { root } = extract([{ ...dir('a'), uid: 7 }, dir('a')]);
    assert.equal(lstatSync(join(root, 'a')).uid, 0);
  });

  inAllPieces('removes a folder that a file replaces, and the other way round', (extract) => {
    const { root } = extract([
      dir('a'),
      file('a/b/c', 'x'),
      file('a', 'now a file'),
      file('b', 'x'),
      dir('b'),
    ]);
    assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'now a file');
    assert.ok(lstatSync(join(root, 'b')).isDirectory());
  });

  inAllPieces('replaces files by links, devices and FIFOs', (extract) => {
    const { root } = extract([
      file('a', 'a'),
      { name: 'a', type: 'fifo' },
      file('b', 'b'),
      { name: 'b', type: 'symlink', linkname: 'c' },
      { name: 'b', type: 'symlink', linkname: 'd' },
      file('c', 'c'),
      file('d', 'd'),
      { name: 'd', type: 'hardlink', linkname: 'c' },
    ]);
    assert.ok(lstatSync(join(root, 'a')).isFIFO());
    assert.ok(lstatSync(join(root, 'b')).isSymbolicLink());
    assert.equal(lstatSync(join(root, 'd')).ino, lstatSync(join(root, 'c')).ino);
  });
});
