import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { paxHeader, sealHeader, type TarEntryOptions, tarEntry } from '../../support/tar';
import { readXattrs, treeFacts } from '../../support/tree';
import { inAllPieces } from './support';

const LONG = `${'long-folder-name/'.repeat(12)}file`;

function read(root: string, name: string): string {
  return readFileSync(join(root, name), 'utf8');
}

/** Writes text into a header field. */
const put = (offset: number, text: string) => (block: Buffer) => void block.write(text, offset, 'latin1');

describe('image/extract: names', () => {
  inAllPieces('reads long names in PAX and GNU archives', (extract) => {
    for (const format of ['pax', 'gnu'] as const) {
      const { root } = extract([
        { name: LONG, content: 'x', format },
        { name: 'link', type: 'symlink', linkname: LONG, format },
        { name: 'short', content: 'y', format },
        { name: 'again', type: 'hardlink', linkname: LONG, format },
      ]);
      assert.equal(read(root, LONG), 'x');
      assert.equal(read(root, 'short'), 'y');
      assert.equal(read(root, 'again'), 'x');
      assert.equal(readlinkSync(join(root, 'link')), LONG);
    }
  });

  inAllPieces('joins the prefix of ustar, and of star, which is shorter', (extract) => {
    const name = `${'p'.repeat(131)}/${'n'.repeat(90)}`;
    const star = (block: Buffer) => {
      block.write('00000000000\x0000000000000\0', 476, 'latin1');
      block.write('tar\0', 508, 'latin1');
    };
    assert.equal(read(extract([{ name, content: 'x', format: 'ustar' }]).root, name), 'x');
    assert.equal(read(extract([{ name, content: 'x', format: 'ustar', raw: star }]).root, name), 'x');
  });

  inAllPieces("does not take GNU's fields for a prefix", (extract) => {
    const { root } = extract([{ name: 'a', content: 'x', format: 'gnu', raw: put(345, '12345670123\0') }]);
    assert.deepEqual(readdirSync(root), ['a']);
  });

  inAllPieces('reads v7 archives, where a slash at the end makes a folder', (extract) => {
    const { root } = extract([
      { name: 'folder/', type: '\0', format: 'v7', mode: 0o750, content: 'skipped' },
      { name: 'folder/file', type: '\0', format: 'v7', content: 'x' },
    ]);
    assert.equal(statSync(join(root, 'folder')).mode & 0o7777, 0o750);
    assert.equal(read(root, 'folder/file'), 'x');
  });

  inAllPieces('keeps the bytes of names that are not UTF-8', (extract) => {
    const odd = Buffer.from('caf\xe9/\xff\xfe', 'latin1');
    const target = Buffer.from('\x80', 'latin1');
    const { root } = extract([
      { name: odd, content: 'x' },
      { name: 'l', type: 'symlink', linkname: target },
      { name: 'h', type: 'hardlink', linkname: odd },
      { name: 'grüße', content: 'y' },
      { name: 'p', pax: { path: Buffer.from('pax\xe9', 'latin1') } },
    ]);
    const facts = treeFacts(root);
    assert.equal(facts['caf\xe9/\xff\xfe']?.type, 'file');
    assert.equal(facts.h?.sameAs, 'caf\xe9/\xff\xfe');
    assert.equal(facts.l?.target, '\x80');
    assert.equal(facts['pax\xe9']?.type, 'file');
    assert.equal(read(root, 'grüße'), 'y');
  });

  inAllPieces('makes the parents that an archive implies, owned by root, 0755', (extract) => {
    const found = statSync(join(extract([{ name: 'a/b/c', uid: 5 }]).root, 'a/b'));
    assert.deepEqual([found.mode & 0o7777, found.uid, found.gid], [0o755, 0, 0]);
  });

  inAllPieces('gives the root its attributes, or 0755', (extract) => {
    const entry: TarEntryOptions = { name: './', type: 'directory', mode: 0o1777, uid: 3, gid: 4, mtime: 9 };
    const found = statSync(extract([entry, { name: './a' }]).root);
    assert.deepEqual([found.mode & 0o7777, found.uid, found.gid, found.mtimeMs], [0o1777, 3, 4, 9000]);
    assert.equal(statSync(extract([{ name: 'a' }]).root).mode & 0o7777, 0o755);
  });

  inAllPieces('says so when a name is too long for the file system', (extract) => {
    assert.throws(() => extract([{ name: 'n'.repeat(256) }]), { code: 'ERR_LAYER_UNSUPPORTED' });
  });
});

describe('image/extract: attributes', () => {
  inAllPieces('sets owner, then mode, then capabilities', (extract) => {
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    const { root } = extract([
      { name: 'su', mode: 0o6755, uid: 12, gid: 34, content: 'x' },
      { name: 'ping', uid: 1, gid: 2, content: 'x', xattrs: { 'security.capability': capability } },
      { name: 'open', mode: 0o666 },
      { name: 'big', uid: 3_000_000, gid: 4_294_967_294, format: 'gnu' },
    ]);
    const su = statSync(join(root, 'su'));
    assert.deepEqual([su.mode & 0o7777, su.uid, su.gid], [0o6755, 12, 34]);
    assert.equal(readXattrs(join(root, 'ping'))['security.capability'], capability.toString('latin1'));
    assert.equal(statSync(join(root, 'open')).mode & 0o7777, 0o666);
    const big = statSync(join(root, 'big'));
    assert.deepEqual([big.uid, big.gid], [3_000_000, 4_294_967_294]);
  });

  inAllPieces('lets no folder hand its group to what is in it', (extract) => {
    const { root } = extract([
      { name: 'mail', type: 'directory', mode: 0o2775, gid: 8 },
      { name: 'mail/box' },
      { name: 'mail/folder', type: 'directory' },
    ]);
    assert.equal(statSync(join(root, 'mail')).mode & 0o7777, 0o2775);
    assert.equal(statSync(join(root, 'mail/box')).gid, 0);
    assert.deepEqual(
      [statSync(join(root, 'mail/folder')).gid, statSync(join(root, 'mail/folder')).mode & 0o7777],
      [0, 0o755],
    );
  });

  inAllPieces('sets times to the nanosecond, also before 1970, of folders last', (extract) => {
    const { root } = extract([
      { name: 'd', type: 'directory', mtime: 1234 },
      { name: 'd/a', pax: { mtime: '1700000000.123456789' } },
      { name: 'd/b', pax: { mtime: '-1.25' } },
      { name: 'd/c', mtime: -86400 },
      { name: 'd/l', type: 'symlink', linkname: 'a', pax: { mtime: '7.000000001' } },
    ]);
    const facts = treeFacts(root);
    assert.deepEqual(
      ['d', 'd/a', 'd/b', 'd/c', 'd/l'].map((name) => facts[name]?.modified),
      [1_234_000_000_000n, 1_700_000_000_123_456_789n, -1_250_000_000n, -86_400_000_000_000n, 7_000_000_001n],
    );
    const base256: TarEntryOptions = { name: 'e', raw: (block) => block.fill(0xff, 136, 148) };
    assert.equal(treeFacts(extract([base256]).root).e?.modified, -1_000_000_000n);
  });

  inAllPieces('sets xattrs on all kinds of files, and counts those that do not go', (extract) => {
    const { root, summary } = extract([
      { name: 'd', type: 'directory', xattrs: { 'user.d': '1' } },
      { name: 'f', xattrs: { 'user.f': Buffer.from([0, 1, 255]), 'nonsense.f': 'x' } },
      { name: 'l', type: 'symlink', linkname: 'f', xattrs: { 'user.l': 'not on links', 'trusted.l': 'yes' } },
    ]);
    const facts = treeFacts(root);
    assert.deepEqual(
      [facts.d?.xattrs, facts.f?.xattrs, facts.l?.xattrs],
      [{ 'user.d': '1' }, { 'user.f': '\x00\x01\xff' }, { 'trusted.l': 'yes' }],
    );
    assert.equal(summary.skippedXattrs, 2);
  });

  inAllPieces('makes devices and FIFOs', (extract) => {
    const { root } = extract([
      { name: 'dev/null', type: 'character', mode: 0o666, major: 1, minor: 3, uid: 6 },
      { name: 'dev/sda', type: 'block', mode: 0o660, major: 8, minor: 1, gid: 6 },
      { name: 'dev/big', type: 'block', major: 259, minor: 70_000 },
      { name: 'dev/pipe', type: 'fifo', mode: 0o622 },
    ]);
    const facts = treeFacts(root);
    assert.deepEqual(
      ['null', 'sda', 'big', 'pipe'].map((name) => {
        const { type, mode, owner, device } = facts[`dev/${name}`]!;
        return [type, mode, owner, device];
      }),
      [
        ['character', '666', '6:0', 0x103],
        ['block', '660', '0:6', 0x801],
        ['block', '644', '0:0', (((70_000 & ~0xff) << 12) >>> 0) | (259 << 8) | (70_000 & 0xff)],
        ['fifo', '622', '0:0', undefined],
      ],
    );
  });
});

describe('image/extract: headers', () => {
  inAllPieces('applies PAX records locally and globally', (extract) => {
    const { root } = extract([
      paxHeader('g', { uid: '11', comment: 'made by hand', 'SCHILY.xattr.user.g': 'global' }),
      { name: 'a' },
      { name: 'b', pax: { uid: '22', 'SCHILY.xattr.user.g': 'local' } },
      { name: 'c', uid: 33, pax: { uid: '' } },
      paxHeader('g', { uid: '44' }),
      { name: 'd' },
    ]);
    const facts = treeFacts(root);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((name) => facts[name]?.owner),
      ['11:0', '22:0', '33:0', '44:0'],
    );
    assert.deepEqual([facts.a?.xattrs, facts.b?.xattrs], [{ 'user.g': 'global' }, { 'user.g': 'local' }]);
  });

  inAllPieces('takes size, path and linkpath from PAX', (extract) => {
    const { root } = extract([
      { name: 'short', content: 'x'.repeat(1000), size: 0, pax: { size: '1000', path: 'real/name' } },
      { name: 'l', type: 'symlink', linkname: 'short', pax: { linkpath: 'real/name' } },
    ]);
    assert.equal(read(root, 'real/name'), 'x'.repeat(1000));
    assert.equal(readlinkSync(join(root, 'l')), 'real/name');
  });

  inAllPieces('takes several extension headers before one entry', (extract) => {
    const { root } = extract([
      paxHeader('x', { mtime: '5' }),
      paxHeader('x', { uid: '6' }),
      { name: LONG, format: 'gnu' },
    ]);
    assert.deepEqual([statSync(join(root, LONG)).mtimeMs, statSync(join(root, LONG)).uid], [5000, 6]);
  });

  inAllPieces('reads numbers in base-256 and in octal amid spaces', (extract) => {
    const { root } = extract([
      { name: 'a', content: 'xyz', raw: put(124, '         3  ') },
      { name: 'b', content: 'xyz', raw: put(124, '3 \0garbage\0') },
    ]);
    assert.deepEqual([read(root, 'a'), read(root, 'b')], ['xyz', 'xyz']);
    const base256 = (block: Buffer) => {
      block.fill(0, 124, 136);
      block[124] = 0x80;
      block[135] = 3;
    };
    assert.equal(read(extract([{ name: 'c', content: 'xyz', raw: base256 }]).root, 'c'), 'xyz');
  });

  inAllPieces('accepts the signed and the unsigned checksum, no other', (extract) => {
    const block = tarEntry({ name: Buffer.from('\xe9\xe8', 'latin1') });
    const signed = Buffer.from(block);
    const sum = Number.parseInt(block.toString('latin1', 148, 154), 8) - 2 * 256;
    signed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    assert.equal(extract([block, signed]).summary.entries, 2);
    signed[0]! += 1;
    assert.throws(() => extract([signed]), { code: 'ERR_LAYER_CORRUPT', message: /checksum/ });
  });

  inAllPieces('takes contiguous files for files, passes over volume names and data of links', (extract) => {
    const { root } = extract([
      { name: 'label', type: 'V' },
      { name: 'a', type: 'contiguous', content: 'x' },
      { name: 'b', type: 'hardlink', linkname: 'a', size: 1 },
      { name: 'c', type: 'symlink', linkname: 'a', size: 4096 },
      { name: 'd', type: 'directory', size: 512 },
      { name: 'e', content: 'last' },
    ]);
    assert.deepEqual(readdirSync(root), ['a', 'b', 'c', 'd', 'e']);
    assert.equal(read(root, 'e'), 'last');
  });

  inAllPieces('refuses types that no image needs', (extract) => {
    assert.throws(() => extract([{ name: 'a', type: 'M' }]), { code: 'ERR_LAYER_UNSUPPORTED' });
    assert.throws(() => extract([{ name: 'a', type: 'Z' }]), { code: 'ERR_LAYER_UNSUPPORTED' });
  });

  inAllPieces('refuses what is malformed', (extract) => {
    const badRecord = (text: string) => {
      const content = Buffer.from(text);
      return Buffer.concat([tarEntry({ name: 'x', type: 'x', content }), tarEntry({ name: 'a' })]);
    };
    const cases: Record<string, (TarEntryOptions | Buffer)[]> = {
      'no octal': [{ name: 'a', raw: put(124, 'xyz\0') }],
      'negative size': [{ name: 'a', raw: (block) => block.fill(0xff, 124, 136) }],
      'huge size': [{ name: 'a', raw: (block) => block.fill(0xbf, 124, 136) }],
      'record without end': [badRecord('99 path=a\n')],
      'record without length': [badRecord('path=a\n')],
      'record of no length': [badRecord('0 path=a\n')],
      'record without newline': [badRecord('8 path=a ')],
      'record without key': [badRecord('5 =a\n ')],
      'no time': [{ name: 'a', pax: { mtime: 'soon' } }],
      'no size': [{ name: 'a', pax: { size: '-1' } }],
      'impossible owner': [{ name: 'a', pax: { uid: '4294967295' } }],
      'empty link': [{ name: 'a', type: 'symlink' }],
    };
    for (const [name, entries] of Object.entries(cases)) {
      assert.throws(() => extract(entries), { code: 'ERR_LAYER_CORRUPT' }, name);
    }
    const huge = sealHeader(Buffer.from(tarEntry({ name: 'x', type: 'x', size: 1 << 30 })));
    assert.throws(() => extract([huge]), { code: 'ERR_LAYER_UNSUPPORTED' });
  });

  inAllPieces('ends at one zero block, ignores what follows, and counts it', (extract) => {
    const archive = Buffer.concat([tarEntry({ name: 'a' }), Buffer.alloc(512), tarEntry({ name: 'b' })]);
    const { root, summary } = extract(archive);
    assert.deepEqual(readdirSync(root), ['a']);
    assert.deepEqual(summary, { entries: 1, bytes: archive.length, skippedXattrs: 0 });
    assert.equal(extract(Buffer.concat([tarEntry({ name: 'a' }), Buffer.alloc(700, 0)])).summary.entries, 1);
  });

  inAllPieces('takes an empty archive and one without zero blocks', (extract) => {
    assert.equal(extract(Buffer.alloc(0)).summary.entries, 0);
    assert.equal(extract(Buffer.alloc(1024)).summary.entries, 0);
    assert.equal(extract(tarEntry({ name: 'a', content: 'x' })).summary.entries, 1);
  });

  inAllPieces('refuses an archive that is cut off', (extract) => {
    const entry = tarEntry({ name: LONG, content: 'x'.repeat(600) });
    for (const length of [100, 512, 600, 1024, 1024 + 511, 1536, 1536 + 599, 1536 + 600, entry.length - 1]) {
      const cut = () => extract(entry.subarray(0, length));
      assert.throws(cut, { code: 'ERR_LAYER_CORRUPT', message: /cut off/ }, `${length} bytes`);
    }
    const headless = Buffer.concat([paxHeader('x', { uid: '1' }), Buffer.alloc(1024)]);
    assert.throws(() => extract(headless), { code: 'ERR_LAYER_CORRUPT' });
  });
});
