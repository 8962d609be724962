import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TarEntryOptions } from '../../support/tar';
import { BAIT, inAllPieces } from './support';

/** The named cases of containerd's archive/tar_test.go (TestBreakouts), and more of their kind. */
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
const passwd = [dir('etc', 0o770), file('/etc/passwd', 'inside')];

const contains = (name: string, content: string) => (root: string) =>
  assert.equal(readFileSync(join(root, name), 'utf8'), content);
const unbroken = contains('etc/unbroken', 'unbroken');
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
    entries: [dir('etc'), symlink('/etc', 'localetc'), file('/localetc/unbroken', 'unbroken')],
    check: unbroken,
  },
  {
    name: 'SymlinkUpAndOut',
    entries: [
      dir('etc'),
      dir('dummy'),
      symlink('/dummy/../etc', 'localetc'),
      file('/localetc/unbroken', 'unbroken'),
    ],
    check: unbroken,
  },
  {
    name: 'SymlinkRelativeUpAndOut',
    entries: [dir('etc'), dir('a'), symlink('../../etc', 'a/d'), file('a/d/unbroken', 'unbroken')],
    check: unbroken,
  },
  {
    name: 'SymlinkMultipleAbsolute',
    entries: [
      dir('etc'),
      dir('dummy'),
      symlink('/etc', '/dummy/etc'),
      symlink('/dummy/etc', 'localetc'),
      file('/localetc/unbroken', 'unbroken'),
    ],
    check: unbroken,
  },
  {
    name: 'SymlinkMultipleRelative',
    entries: [
      dir('etc'),
      dir('dummy'),
      symlink('/etc', '/dummy/etc'),
      symlink('./dummy/etc', 'localetc'),
      file('/localetc/unbroken', 'unbroken'),
    ],
    check: unbroken,
  },
  {
    name: 'SymlinkEmptyFile',
    entries: [
      dir('etc'),
      file('etc/emptied', 'notempty'),
      symlink('/etc', 'localetc'),
      file('/localetc/emptied', ''),
    ],
    check: contains('etc/emptied', ''),
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
    entries: [symlink('../etc/passwd', 'passwd'), file('passwd', 'mine')],
    check: (root) => {
      contains('passwd', 'mine')(root);
      assert.ok(lstatSync(join(root, 'passwd')).isFile());
    },
  },
  {
    name: 'SymlinkReplacedByDirectory',
    entries: [symlink('../etc', 'etc'), dir('etc'), file('etc/unbroken', 'unbroken')],
    check: (root) => {
      assert.ok(lstatSync(join(root, 'etc')).isDirectory());
      unbroken(root);
    },
  },
  {
    name: 'DirectoryReplacedBySymlink',
    entries: [dir('a'), file('a/old', 'x'), symlink('../etc', 'a'), file('a/unbroken', 'unbroken')],
    check: all(isLink('a', '../etc'), unbroken, (root) => assert.ok(!existsSync(join(root, 'etc/old')))),
  },
  {
    name: 'DirectoryDeepReplacedBySymlink',
    entries: [dir('a'), dir('a/b'), dir('a/b/c'), symlink('../etc', 'a'), file('a/b/c/file', 'x')],
    check: all(isLink('a', '../etc'), contains('etc/b/c/file', 'x')),
  },
  {
    name: 'SymlinkParentOfDevice',
    entries: [
      dir('etc'),
      symlink('../etc', 'out'),
      { name: 'out/null', type: 'character', major: 1, minor: 3 },
    ],
    check: (root) => assert.ok(lstatSync(join(root, 'etc/null')).isCharacterDevice()),
  },
  {
    name: 'SymlinkParentOfSymlink',
    entries: [dir('etc'), symlink('/etc', 'out'), symlink('/somewhere', 'out/link')],
    check: isLink('etc/link', '/somewhere'),
  },
  {
    name: 'SymlinkParentOfDirectory',
    entries: [symlink('../etc', 'out'), dir('out/made', 0o700)],
    check: (root) => assert.equal(statSync(join(root, 'etc/made')).mode & 0o777, 0o700),
  },
  {
    name: 'HardlinkRelative',
    entries: [
      ...passwd,
      dir('breakouts'),
      symlink('../../etc', 'breakouts/d1'),
      hardlink('/breakouts/d1/passwd', 'breakouts/mypasswd'),
    ],
    check: sameFile('breakouts/mypasswd', 'etc/passwd'),
  },
  {
    name: 'HardlinkDownAndOut',
    entries: [
      ...passwd,
      dir('breakouts'),
      dir('downandout'),
      symlink('../downandout/../../etc', 'breakouts/d1'),
      hardlink('/breakouts/d1/passwd', 'breakouts/mypasswd'),
    ],
    check: sameFile('breakouts/mypasswd', 'etc/passwd'),
  },
  {
    name: 'HardlinkAbsolute',
    entries: [...passwd, symlink('/etc', 'localetc'), hardlink('/localetc/passwd', 'localpasswd')],
    check: sameFile('localpasswd', 'etc/passwd'),
  },
  {
    name: 'HardlinkRelativeLong',
    entries: [
      ...passwd,
      symlink('../../../../../../../etc', 'localetc'),
      hardlink('/localetc/passwd', 'localpasswd'),
    ],
    check: sameFile('localpasswd', 'etc/passwd'),
  },
  {
    name: 'HardlinkRelativeUpAndOut',
    entries: [
      ...passwd,
      dir('upandout'),
      symlink('upandout/../../../etc', 'localetc'),
      hardlink('/localetc/passwd', 'localpasswd'),
    ],
    check: sameFile('localpasswd', 'etc/passwd'),
  },
  {
    name: 'HardlinkDirectRelative',
    entries: [...passwd, hardlink('../../../../../etc/passwd', 'localpasswd')],
    refused: 'ERR_LAYER_BREAKOUT',
  },
  {
    name: 'HardlinkDirectAbsolute',
    entries: [...passwd, hardlink('/etc/passwd', 'localpasswd')],
    check: sameFile('localpasswd', 'etc/passwd'),
  },
  {
    name: 'HardlinkOutside',
    entries: [hardlink('/etc/passwd', 'localpasswd')],
    refused: 'ERR_LAYER_CORRUPT',
  },
  {
    name: 'HardlinkThroughSymlinkOutside',
    entries: [symlink('../etc', 'out'), hardlink('out/passwd', 'localpasswd')],
    refused: 'ERR_LAYER_CORRUPT',
  },
  {
    name: 'HardlinkSymlinkBeforeCreateTarget',
    entries: [
      dir('etc', 0o770),
      symlink('/etc/passwd', 'localpasswd'),
      hardlink('localpasswd', 'localpasswd-dup'),
      file('/etc/passwd', 'after'),
    ],
    check: all(isLink('localpasswd-dup', '/etc/passwd'), sameFile('localpasswd', 'localpasswd-dup')),
  },
  {
    name: 'HardlinkSymlinkRelative',
    entries: [
      ...passwd,
      symlink('../../../../../etc/passwd', 'passwdlink'),
      hardlink('/passwdlink', 'localpasswd'),
    ],
    check: sameFile('localpasswd', 'passwdlink'),
  },
  {
    name: 'HardlinkSymlinkAbsolute',
    entries: [...passwd, symlink('/etc/passwd', 'passwdlink'), hardlink('/passwdlink', 'localpasswd')],
    check: sameFile('localpasswd', 'passwdlink'),
  },
  {
    name: 'HardlinkSymlinkChmod',
    entries: [
      symlink('../etc/passwd', 'also-exists-outside-root'),
      hardlink('also-exists-outside-root', 'sketchylink'),
      { ...hardlink('also-exists-outside-root', 'sketchylink'), mode: 0o4777 },
    ],
    check: isLink('sketchylink', '../etc/passwd'),
  },
  {
    name: 'HardlinkThenOverwrite',
    entries: [file('a', 'first'), hardlink('a', 'b'), file('b', 'second')],
    check: all(contains('a', 'first'), contains('b', 'second')),
  },
  { name: 'HardlinkToItself', entries: [file('a', 'x'), hardlink('./a', 'a')], check: contains('a', 'x') },
  { name: 'HardlinkToDirectory', entries: [dir('a'), hardlink('a', 'b')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'DotDotOut', entries: [file('../etc/passwd', 'x')], refused: 'ERR_LAYER_BREAKOUT' },
  { name: 'DotDotDeepOut', entries: [file('a/../../etc/passwd', 'x')], refused: 'ERR_LAYER_BREAKOUT' },
  { name: 'DotDotLast', entries: [dir('a/../..')], refused: 'ERR_LAYER_BREAKOUT' },
  { name: 'DotDotInside', entries: [file('a/../b/file', 'x')], check: contains('b/file', 'x') },
  { name: 'AbsoluteName', entries: [file('/etc/unbroken', 'unbroken')], check: unbroken },
  { name: 'ManySlashes', entries: [file('//etc///.//unbroken', 'unbroken')], check: unbroken },
  { name: 'FileAsParent', entries: [file('a', 'x'), file('a/b', 'y')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'RootAsFile', entries: [file('.', 'x')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'EmptyName', entries: [file('', 'x')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'RootAsSymlink', entries: [symlink('../etc', './')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'ZeroByteInName', entries: [{ name: 'x', pax: { path: 'a\0b' } }], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'WhiteoutParent', entries: [dir('etc'), file('etc/.wh...', '')], refused: 'ERR_LAYER_BREAKOUT' },
  { name: 'WhiteoutRoot', entries: [dir('etc'), file('.wh..', '')], refused: 'ERR_LAYER_BREAKOUT' },
  { name: 'WhiteoutEmpty', entries: [dir('etc'), file('etc/.wh.', '')], refused: 'ERR_LAYER_CORRUPT' },
  { name: 'WhiteoutDotDotOut', entries: [file('../etc/.wh.passwd', '')], refused: 'ERR_LAYER_BREAKOUT' },
  {
    name: 'WhiteoutThroughSymlink',
    entries: [symlink('../etc', 'out'), file('out/.wh.passwd', '')],
    check: (root) => assert.equal(lstatSync(join(root, 'etc/passwd')).rdev, 0),
  },
  {
    name: 'OpaqueThroughSymlink',
    entries: [symlink('../etc', 'out'), file('out/.wh..wh..opq', '')],
    check: (root) => assert.ok(lstatSync(join(root, 'etc')).isDirectory()),
  },
];

describe('image/extract: breakouts', () => {
  for (const { name, entries, check, refused } of CASES) {
    inAllPieces(name, (extract) => {
      let root = '';
      if (refused) assert.throws(() => extract(entries), { code: refused });
      else {
        ({ root } = extract(entries));
        check!(root);
        for (const bait of ['passwd', 'unbroken', 'emptied']) {
          assert.equal(readFileSync(join(dirname(root), 'etc', bait), 'utf8'), BAIT);
        }
        assert.equal(lstatSync(join(dirname(root), 'etc')).mode & 0o777, 0o755);
      }
      assert.ok(!existsSync('/etc/unbroken'));
    });
  }
});
