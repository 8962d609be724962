import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TarEntryOptions } from '../../support/tar';
import { BAIT, inAllPieces } from './support';

/**
 * The named cases of containerd's archive/tar_test.go (TestBreakouts), and more of their kind. Their `/etc` is
 * `/garua-etc` here, which no machine has: an extractor that fails must not harm the host it is tested on.
 */
interface BreakoutCase {
  name: string;
  entries: TarEntryOptions[];
  /** What must be there afterwards ... */
  check?: (root: string) => void;
  /** ... or the code of the error that must come. */
  refused?: string;
}

const dir = (name: string, mode = 0o755): TarEntryOptions => ({ name, type: 'directory', mode });
const file = (name: string, content: string): TarEntryOptions => ({ name, content });
const symlink = (linkname: string, name: string): TarEntryOptions => ({ name, type: 'symlink', linkname });
const hardlink = (linkname: string, name: string): TarEntryOptions => ({ name, type: 'hardlink', linkname });
const passwd = [dir('garua-etc', 0o770), file('/garua-etc/passwd', 'inside')];

const contains = (name: string, content: string) => (root: string) =>
  assert.equal(readFileSync(join(root, name), 'utf8'), content);
const unbroken = contains('garua-etc/unbroken', 'unbroken');
const sameFile = (first: string, second: string) => (root: string) =>
  assert.equal(lstatSync(join(root, first)).ino, lstatSync(join(root, second)).ino);
const isLink = (name: string, target: string) => (root: string) =>
  assert.equal(readlinkSync(join(root, name)), target);
const all =
  (...checks: ((root: string) => void)[]) =>
  (root: string) => {
    for (const check of checks) check(root);
  };

const CASES: BreakoutCase[] = [
  {
    name: 'SymlinkAbsolute',
    entries: [dir('garua-etc'), symlink('/garua-etc', 'localetc'), file('/localetc/unbroken', 'unbroken')],
    check: unbroken,
  },
  {
    name: 'SymlinkUpAndOut',
    entries: [
      dir('garua-etc'),
      dir('dummy'),
      symlink('/dummy/../garua-etc', 'localetc'),
      file('/localetc/unbroken', 'unbroken'),
    ],
    check: unbroken,
  },
  {
    name: 'SymlinkRelativeUpAndOut',
    entries: [
      dir('garua-etc'),
      dir('a'),
      symlink('../../garua-etc', 'a/d'),
      file('a/d/unbroken', 'unbroken'),
    ],
    check: unbroken,
  },
  {
    name: 'SymlinkMultipleAbsolute',
    entries: [
      dir('garua-etc'),
      dir('dummy'),
      symlink('/garua-etc', '/dummy/garua-etc'),
      symlink('/dummy/garua-etc', 'localetc'),
      file('/localetc/unbroken', 'unbroken'),
    ],
    check: unbroken,
  },
  {
    name: 'SymlinkMultipleRelative',
    entries: [
      dir('garua-etc'),
      dir('dummy'),
      symlink('/garua-etc', '/dummy/garua-etc'),
      symlink('./dummy/garua-etc', 'localetc'),
      file('/localetc/unbroken', 'unbroken'),
    ],
    check: unbroken,
  },
  {
    name: 'SymlinkEmptyFile',
    entries: [
      dir('garua-etc'),
      file('garua-etc/emptied', 'notempty'),
      symlink('/garua-etc', 'localetc'),
      file('/localetc/emptied', ''),
    ],
    check: contains('garua-etc/emptied', ''),
  },
  {
    name: 'SymlinkDangling',
    entries: [symlink('/missing/deep', 'link'), file('link/file', 'x')],
    check: contains('missing/deep/file', 'x'),
  },
  {
    name: 'SymlinkLoop',
    entries: [symlink('b', 'a'), symlink('a', 'b'), file('a/file', 'x')],
    refused: 'ERR_LAYER_BREAKOUT',
  },
  {
    name: 'SymlinkAsFile',
    entries: [symlink('../garua-etc/passwd', 'passwd'), file('passwd', 'mine')],
    check: (root) => {
      contains('passwd', 'mine')(root);
      assert.ok(lstatSync(join(root, 'passwd')).isFile());
    },
  },
  {
    name: 'SymlinkReplacedByDirectory',
    entries: [symlink('../garua-etc', 'garua-etc'), dir('garua-etc'), file('garua-etc/unbroken', 'unbroken')],
    check: (root) => {
      assert.ok(lstatSync(join(root, 'garua-etc')).isDirectory());
      unbroken(root);
    },
  },
  {
    name: 'DirectoryReplacedBySymlink',
    entries: [dir('a'), file('a/old', 'x'), symlink('../garua-etc', 'a'), file('a/unbroken', 'unbroken')],
    check: all(isLink('a', '../garua-etc'), unbroken, (root) =>
      assert.ok(!existsSync(join(root, 'garua-etc/old'))),
    ),
  },
  {
    name: 'DirectoryDeepReplacedBySymlink',
    entries: [dir('a'), dir('a/b'), dir('a/b/c'), symlink('../garua-etc', 'a'), file('a/b/c/file', 'x')],
    check: all(isLink('a', '../garua-etc'), contains('garua-etc/b/c/file', 'x')),
  },
  {
    name: 'SymlinkParentOfDevice',
    entries: [
      dir('garua-etc'),
      symlink('../garua-etc', 'out'),
      { name: 'out/null', type: 'character', major: 1, minor: 3 },
    ],
    check: (root) => assert.ok(lstatSync(join(root, 'garua-etc/null')).isCharacterDevice()),
  },
  {
    name: 'SymlinkParentOfSymlink',
    entries: [dir('garua-etc'), symlink('/garua-etc', 'out'), symlink('/somewhere', 'out/link')],
    check: isLink('garua-etc/link', '/somewhere'),
  },
  {
    name: 'SymlinkParentOfDirectory',
    entries: [symlink('../garua-etc', 'out'), dir('out/made', 0o700)],
    check: (root) => assert.equal(statSync(join(root, 'garua-etc/made')).mode & 0o777, 0o700),
  },
  {
    name: 'HardlinkRelative',
    entries: [
      ...passwd,
      dir('breakouts'),
      symlink('../../garua-etc', 'breakouts/d1'),
      hardlink('/breakouts/d1/passwd', 'breakouts/mypasswd'),
    ],
    check: sameFile('breakouts/mypasswd', 'garua-etc/passwd'),
  },
  {
    name: 'HardlinkDownAndOut',
    entries: [
      ...passwd,
      dir('breakouts'),
      dir('downandout'),
      symlink('../downandout/../../garua-etc', 'breakouts/d1'),
      hardlink('/breakouts/d1/passwd', 'breakouts/mypasswd'),
    ],
    check: sameFile('breakouts/mypasswd', 'garua-etc/passwd'),
  },
  {
    name: 'HardlinkAbsolute',
    entries: [...passwd, symlink('/garua-etc', 'localetc'), hardlink('/localetc/passwd', 'localpasswd')],
    check: sameFile('localpasswd', 'garua-etc/passwd'),
  },
  {
    name: 'HardlinkRelativeLong',
    entries: [
      ...passwd,
      symlink('../../../../../../../garua-etc', 'localetc'),
      hardlink('/localetc/passwd', 'localpasswd'),
    ],
    check: sameFile('localpasswd', 'garua-etc/passwd'),
  },
  {
    name: 'HardlinkRelativeUpAndOut',
    entries: [
      ...passwd,
      dir('upandout'),
      symlink('upandout/../../../garua-etc', 'localetc'),
      hardlink('/localetc/passwd', 'localpasswd'),
    ],
    check: sameFile('localpasswd', 'garua-etc/passwd'),
  },
  {
    name: 'HardlinkDirectRelative',
    entries: [...passwd, hardlink('../../../../../garua-etc/passwd', 'localpasswd')],
    refused: 'ERR_LAYER_BREAKOUT',
  },
  {
    name: 'HardlinkDirectAbsolute',
    entries: [...passwd, hardlink('/garua-etc/passwd', 'localpasswd')],
    check: sameFile('localpasswd', 'garua-etc/passwd'),
  },
  {
    name: 'HardlinkOutside',
    entries: [hardlink('/garua-etc/passwd', 'localpasswd')],
    refused: 'ERR_LAYER_CORRUPT',
  },
  {
    name: 'HardlinkThroughSymlinkOutside',
    entries: [symlink('../garua-etc', 'out'), hardlink('out/passwd', 'localpasswd')],
    refused: 'ERR_LAYER_CORRUPT',
  },
  {
    name: 'HardlinkSymlinkBeforeCreateTarget',
    entries: [
      dir('garua-etc', 0o770),
      symlink('/garua-etc/passwd', 'localpasswd'),
      hardlink('localpasswd', 'localpasswd-dup'),
      file('/garua-etc/passwd', 'after'),
    ],
    check: all(isLink('localpasswd-dup', '/garua-etc/passwd'), sameFile('localpasswd', 'localpasswd-dup')),
  },
  {
    name: 'HardlinkSymlinkRelative',
    entries: [
      ...passwd,
      symlink('../../../../../garua-etc/passwd', 'passwdlink'),
      hardlink('/passwdlink', 'localpasswd'),
    ],
    check: sameFile('localpasswd', 'passwdlink'),
  },
  {
    name: 'HardlinkSymlinkAbsolute',
    entries: [...passwd, symlink('/garua-etc/passwd', 'passwdlink'), hardlink('/passwdlink', 'localpasswd')],
    check: sameFile('localpasswd', 'passwdlink'),
  },
  {
    name: 'HardlinkSymlinkChmod',
    entries: [
      symlink('../garua-etc/passwd', 'also-exists-outside-root'),
      hardlink('also-exists-outside-root', 'sketchylink'),
      { ...hardlink('also-exists-outside-root', 'sketchylink'), mode: 0o4777 },
    ],
    check: isLink('sketchylink', '../garua-etc/passwd'),
  },
  {
    name: 'HardlinkThenOverwrite',
    entries: [file('a', 'first'), hardlink('a', 'b'), file('b', 'second')],
    check: all(contains('a', 'first'), contains('b', 'second')),
  },
  { name: 'HardlinkToItself', entries: [file('a', 'x'), hardlink('./a', 'a')], check: contains('a', 'x') },
  { name: 'HardlinkToDirectory', entries: [dir('a'), hardlink('a', 'b')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'DotDotOut', entries: [file('../garua-etc/passwd', 'x')], refused: 'ERR_LAYER_BREAKOUT' },
  { name: 'DotDotDeepOut', entries: [file('a/../../garua-etc/passwd', 'x')], refused: 'ERR_LAYER_BREAKOUT' },
  { name: 'DotDotLast', entries: [dir('a/../..')], refused: 'ERR_LAYER_BREAKOUT' },
  { name: 'DotDotInside', entries: [file('a/../b/file', 'x')], check: contains('b/file', 'x') },
  { name: 'AbsoluteName', entries: [file('/garua-etc/unbroken', 'unbroken')], check: unbroken },
  { name: 'ManySlashes', entries: [file('//garua-etc///.//unbroken', 'unbroken')], check: unbroken },
  { name: 'FileAsParent', entries: [file('a', 'x'), file('a/b', 'y')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'RootAsFile', entries: [file('.', 'x')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'EmptyName', entries: [file('', 'x')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'RootAsSymlink', entries: [symlink('../garua-etc', './')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'ZeroByteInName', entries: [{ name: 'x', pax: { path: 'a\0b' } }], refused: 'ERR_LAYER_CORRUPT' },
  {
    name: 'WhiteoutParent',
    entries: [dir('garua-etc'), file('garua-etc/.wh...', '')],
    refused: 'ERR_LAYER_BREAKOUT',
  },
  { name: 'WhiteoutRoot', entries: [dir('garua-etc'), file('.wh..', '')], refused: 'ERR_LAYER_BREAKOUT' },
  {
    name: 'WhiteoutEmpty',
    entries: [dir('garua-etc'), file('garua-etc/.wh.', '')],
    refused: 'ERR_LAYER_CORRUPT',
  },
  {
    name: 'WhiteoutDotDotOut',
    entries: [file('../garua-etc/.wh.passwd', '')],
    refused: 'ERR_LAYER_BREAKOUT',
  },
  {
    name: 'WhiteoutThroughSymlink',
    entries: [symlink('../garua-etc', 'out'), file('out/.wh.passwd', '')],
    check: (root) => assert.equal(lstatSync(join(root, 'garua-etc/passwd')).rdev, 0),
  },
  {
    name: 'OpaqueThroughSymlink',
    entries: [symlink('../garua-etc', 'out'), file('out/.wh..wh..opq', '')],
    check: (root) => assert.ok(lstatSync(join(root, 'garua-etc')).isDirectory()),
  },
];

describe('image/extract: breakouts', () => {
  for (const { name, entries, check, refused } of CASES) {
    inAllPieces(name, (extract) => {
      if (refused) assert.throws(() => extract(entries), { code: refused });
      else {
        const { root } = extract(entries);
        check!(root);
        for (const bait of ['passwd', 'unbroken', 'emptied']) {
          assert.equal(readFileSync(join(dirname(root), 'garua-etc', bait), 'utf8'), BAIT);
        }
        assert.equal(lstatSync(join(dirname(root), 'garua-etc')).mode & 0o777, 0o755);
      }
    });
  }
});
