import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { TreeBuilder } from '../../../lib/store/tree/builder';
import { objectCid } from '../../../lib/store/tree/cid';
import { CHUNK_BYTES, LINKS } from '../../../lib/store/tree/layout';
import { temporaryFolder } from '../../support/temporary';
import { patternBytes } from '../support/bytes';

const KNOWN_EMPTY = 'bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4y';

/** The CID that Debian's ipfs_cid computes, an implementation that shares nothing with this one. */
function oracle(file: string): string {
  return JSON.parse(execFileSync('ipfs_cid', [file], { encoding: 'utf8', stdio: 'pipe' })).CIDv1;
}

function cidOf(bytes: Uint8Array, pieces: number[]): string {
  const builder = new TreeBuilder();
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const length = pieces[turn % pieces.length]!;
    builder.push(bytes.subarray(at, at + length));
    at += length;
  }
  return objectCid(builder.finish());
}

describe('the CID of an object', () => {
  const folder = temporaryFolder();
  const full = CHUNK_BYTES * LINKS;
  for (const size of [
    0,
    1,
    127,
    128,
    16_383,
    16_384,
    CHUNK_BYTES - 1,
    CHUNK_BYTES,
    CHUNK_BYTES + 1,
    3 * CHUNK_BYTES - 7,
    10_000_000,
    full - 1,
    full,
    full + 1,
    full + CHUNK_BYTES,
    2 * full + 1,
  ]) {
    it(`is that of ipfs_cid at ${size} bytes`, () => {
      const bytes = patternBytes(size);
      const file = folder.join('bytes');
      writeFileSync(file, bytes);
      assert.equal(cidOf(bytes, [1 << 20]), oracle(file));
    });
  }

  it('does not depend on the pieces in which the bytes come', () => {
    const bytes = patternBytes(1_500_000);
    const expected = cidOf(bytes, [bytes.length]);
    for (const pieces of [[1], [262_143, 2], [7, 300_000, 1], [CHUNK_BYTES]]) {
      const few = pieces[0] === 1 ? bytes.subarray(0, 5000) : bytes;
      assert.equal(cidOf(few, pieces), few === bytes ? expected : cidOf(few, [5000]));
    }
  });

  it('is the one everybody knows for no bytes at all', () => {
    assert.equal(cidOf(new Uint8Array(0), [1]), KNOWN_EMPTY);
    assert.notEqual(objectCid(createHash('sha256').digest()), KNOWN_EMPTY);
  });
});
