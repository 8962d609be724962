import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { lsetxattr, lutimes, mknod, mount, unmountDetached } from '../../../lib/base';
import { createLayerFolder } from '../../../lib/image/extract';
import { makeImage, writeOciLayout } from '../../support/images';
import { type TarEntryOptions, tarArchive } from '../../support/tar';
import { type FileFacts, treeFacts } from '../../support/tree';
import { extractInto, withFolder } from './support';

const S_IFCHR = 0o020000;
const S_IFIFO = 0o010000;

/** A tree with one of everything that the format in question can hold. */
function makeTree(folder: string, withXattrs: boolean, withLongNames: boolean): void {
  const at = (name: string) => join(folder, name);
  const write = (name: string, content: string | Buffer, mode = 0o644) => {
    writeFileSync(at(name), content);
    chmodSync(at(name), mode);
  };
  for (const name of ['', 'usr', 'usr/bin', 'usr/lib', 'var', 'var/mail', 'empty', 'dev', 'locked']) {
    mkdirSync(at(name), { recursive: true });
  }
  write('usr/bin/program', Buffer.alloc(70_000, 'program'), 0o755);
  write('usr/bin/su', 'setuid', 0o4755);
  write('usr/bin/write', 'setgid', 0o2755);
  for (const size of [0, 1, 511, 512, 513, 10_240]) write(`usr/lib/size-${size}`, Buffer.alloc(size, 's'));
  write('usr/lib/open', 'for all', 0o666);
  chownSync(at('usr/bin/write'), 0, 5);
  chmodSync(at('usr/bin/write'), 0o2755);
  write('var/mail/box', 'mail', 0o660);
  chownSync(at('var/mail/box'), 1000, 8);
  linkSync(at('usr/bin/program'), at('usr/bin/alias'));
  linkSync(at('usr/bin/program'), at('empty/../var/program'));
  symlinkSync('usr/bin', at('bin'));
  symlinkSync('/nowhere/at/all', at('dangling'));
  mknod(at('dev/null'), S_IFCHR | 0o666, 1, 3);
  mknod(at('dev/pipe'), S_IFIFO | 0o600, 0, 0);
  writeFileSync(Buffer.from(at('caf\xe9'), 'latin1'), 'latin 1');
  const sparse = openSync(at('sparse'), 'w');
  writeSync(sparse, 'begin', 0);
  writeSync(sparse, 'middle', 1_000_000);
  closeSync(sparse);
  truncateSync(at('sparse'), 3_000_000);
  if (withLongNames) {
    mkdirSync(at(`${'deep/'.repeat(40)}end`), { recursive: true });
    write(`${'deep/'.repeat(40)}end/file`, 'deep');
    symlinkSync('t'.repeat(150), at('long-target'));
    linkSync(at(`${'deep/'.repeat(40)}end/file`), at('linked-from-deep'));
  }
  if (withXattrs) {
    lsetxattr(
      at('usr/bin/program'),
      'security.capability',
      Buffer.from('0100000200200000'.padEnd(40, '0'), 'hex'),
    );
    lsetxattr(at('usr/lib'), 'user.folder', Buffer.from('yes'));
    lutimes(at('usr/lib/open'), 1_600_000_000, 123_456_789);
    lutimes(at('bin'), 1_500_000_000, 1);
  }
  lutimesSync(at('usr/bin/su'), 1_400_000_000, 1_400_000_000);
  chmodSync(at('var/mail'), 0o2775);
  chownSync(at('empty'), 12, 34);
  chmodSync(at('empty'), 0o1777);
  chmodSync(at('locked'), 0o500);
  for (const name of ['usr', 'usr/lib', 'dev', 'var']) lutimesSync(at(name), 1_234_567, 1_234_567);
}

/** GNU tar's own extraction of an archive, which ours must equal in all that can be seen. */
function compareWithGnuTar(folder: string, archive: string): number {
  const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
  mkdirSync(theirs);
  createLayerFolder(ours);
  execFileSync('tar', ['-C', theirs, '--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', archive]);
  extractInto(ours, readFileSync(archive), 100_003);
  const facts = treeFacts(ours);
  assert.deepEqual(facts, treeFacts(theirs));
  return Object.keys(facts).length;
}

describe('image/extract: whole trees, against GNU tar', () => {
  const formats: [format: string, options: string[]][] = [
    ['posix', ['--xattrs', '--xattrs-include=*', '--sparse', '--sparse-version=1.0']],
    ['posix', ['--xattrs', '--xattrs-include=*', '--sparse', '--sparse-version=0.1']],
    ['posix', ['--xattrs', '--xattrs-include=*', '--sparse', '--sparse-version=0.0']],
    ['gnu', ['--sparse']],
    ['oldgnu', ['--sparse']],
    ['ustar', []],
    ['v7', ['--exclude=./dev']],
  ];
  for (const [format, options] of formats) {
    it(`unpacks --format=${format} ${options.at(-1) ?? ''} alike`, () => {
      withFolder((folder) => {
        const source = join(folder, 'source');
        makeTree(source, format === 'posix', !['v7', 'ustar'].includes(format));
        const archive = join(folder, 'layer.tar');
        const args = ['-C', source, `--format=${format}`, '--numeric-owner', ...options, '-cf', archive, '.'];
        execFileSync('tar', args);
        assert.ok(compareWithGnuTar(folder, archive) > 20);
        const sparse = join(folder, 'ours/sparse');
        if (options.includes('--sparse')) assert.ok(lstatSync(sparse).blocks * 512 < 100_000);
      });
    });
  }

  it("unpacks a part of this machine's system alike", () => {
    withFolder((folder) => {
      const trees = ['etc/alternatives', 'etc/init.d', 'usr/lib/apt', 'usr/lib/tmpfiles.d', 'usr/bin/passwd'];
      trees.push('usr/bin/su', 'usr/share/common-licenses', 'usr/share/debconf', 'usr/share/perl5');
      // On a merged system these are links, through which the next layers' entries go.
      const links = ['bin', 'lib', 'sbin'].filter((name) => lstatSync(`/${name}`).isSymbolicLink());
      // GNU tar leaves the time of folders that an archive implies to the clock, so all are named.
      const folders = ['etc', 'usr', 'usr/bin', 'usr/lib', 'usr/share', 'tmp', '.'];
      const archive = join(folder, 'layer.tar');
      const pack = (...args: string[]) =>
        execFileSync('tar', ['-C', '/', '--format=posix', '--xattrs', '-f', archive, ...args], {
          stdio: 'pipe',
        });
      pack('-c', ...trees.filter((path) => existsSync(`/${path}`)), ...links);
      pack('-r', '--no-recursion', ...folders);
      assert.ok(compareWithGnuTar(folder, archive) > 100);
    });
  });
});

describe('image/extract: whole images, against umoci', () => {
  const dir = (name: string, more: Partial<TarEntryOptions> = {}): TarEntryOptions => ({
    name,
    type: 'directory',
    ...more,
  });
  const file = (name: string, content = '', more: Partial<TarEntryOptions> = {}): TarEntryOptions => ({
    name,
    content,
    ...more,
  });
  const base = [
    dir('./'),
    dir('usr/'),
    dir('usr/lib/'),
    dir('usr/bin/'),
    { name: 'lib', type: 'symlink', linkname: 'usr/lib' },
    { name: 'bin', type: 'symlink', linkname: '/usr/bin' },
    file('lib/through-link', 'lands in usr/lib'),
    file('bin/through-absolute-link', 'lands in usr/bin', { mode: 0o4755, uid: 5, gid: 6 }),
    { name: 'usr/bin/linked', type: 'hardlink', linkname: 'bin/through-absolute-link' },
    dir('etc', { mode: 0o750, uid: 1, gid: 2 }),
    file('etc/keep', 'kept'),
    file('etc/gone', 'removed above'),
    file('etc/changed', 'old'),
    dir('opaque'),
    file('opaque/old', 'hidden above'),
    dir('opaque/old-folder'),
    dir('folder-to-file'),
    file('folder-to-file/inner', 'x'),
    file('file-to-folder', 'x'),
    dir('removed-and-new'),
    file('removed-and-new/old', 'x'),
    dir('whole-folder-gone'),
    file('whole-folder-gone/x', 'x'),
    file('xattrs', 'x', { xattrs: { 'user.a': 'b' } }),
    { name: 'pipe', type: 'fifo', mode: 0o600 },
  ] satisfies TarEntryOptions[];
  const upper = [
    dir('etc', { mode: 0o755, uid: 3, gid: 4 }),
    file('etc/.wh.gone'),
    file('etc/changed', 'new', { mode: 0o600 }),
    dir('opaque', { mtime: 77 }),
    file('opaque/new', 'seen'),
    file('opaque/.wh..wh..opq'),
    file('folder-to-file', 'now a file'),
    dir('file-to-folder'),
    file('file-to-folder/inner', 'now in a folder'),
    file('.wh.removed-and-new'),
    dir('removed-and-new'),
    file('removed-and-new/new', 'x'),
    file('.wh.whole-folder-gone'),
    file('.wh.never-was'),
    dir('usr'),
    dir('usr/lib'),
    file('usr/lib/added', 'x'),
  ];

  it('shows the same root through overlayfs', () => {
    withFolder((folder) => {
      const layers = [base, upper].map((entries) => tarArchive(entries));
      const layout = join(folder, 'layout');
      writeOciLayout(layout, [makeImage({ layers })], ['test']);
      execFileSync('umoci', ['unpack', '--image', `${layout}:test`, join(folder, 'bundle')], {
        stdio: 'pipe',
      });
      const theirs = treeFacts(join(folder, 'bundle/rootfs'));

      const folders: string[] = [];
      for (const [index, layer] of layers.entries()) {
        const root = join(folder, `layer-${index}`);
        createLayerFolder(root);
        extractInto(root, layer, 1000, { lowerFolders: folders });
        folders.unshift(root);
      }
      const merged = join(folder, 'merged');
      mkdirSync(merged);
      mount('overlay', merged, 'overlay', 0, `lowerdir=${folders.join(':')}`);
      try {
        assert.deepEqual(comparable(treeFacts(merged)), comparable(theirs));
      } finally {
        unmountDetached(merged);
      }
    });
  });

  /** Folders that an entry is removed from get a new time in umoci; in overlayfs the layer's own stays. */
  function comparable(facts: Record<string, FileFacts>): Record<string, Partial<FileFacts>> {
    return Object.fromEntries(
      Object.entries(facts).map(([name, { modified, ...others }]) => [
        name,
        others.type === 'directory' ? others : { modified, ...others },
      ]),
    );
  }
});
