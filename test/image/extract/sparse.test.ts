import assert from 'node:assert/strict';
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { padded, paxRecord, tarEntry } from '../../support/tar';
import { inAllPieces } from './support';

describe('image/extract: sparse files', () => {
  const pieces = ['A'.repeat(512), 'B'.repeat(100)];
  const expected = Buffer.alloc(100_000);
  expected.write(pieces[0]!, 1024);
  expected.write(pieces[1]!, 50_000);
  const content = pieces.join('');
  const map = [1024, 512, 50_000, 100, 100_000, 0];

  function old(block: Buffer): void {
    const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
    for (const [index, value] of map.entries()) block.write(octal(value), 386 + index * 12, 'latin1');
    block.write(octal(expected.length), 483, 'latin1');
  }

  /** A map with one pair in the header and the others in an extension block. */
  function extended(): Buffer {
    const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
    const block = Buffer.alloc(512);
    for (const [index, value] of map.slice(2).entries()) block.write(octal(value), index * 12, 'latin1');
    const entry = tarEntry({
      name: 'sparse',
      type: 'S',
      format: 'gnu',
      content,
      raw: (header) => {
        old(header);
        header.fill(0, 386 + 24, 482);
        header[482] = 1;
      },
    });
    return Buffer.concat([entry.subarray(0, 512), block, entry.subarray(512)]);
  }

  const sparse = { 'GNU.sparse.size': '100000', 'GNU.sparse.numblocks': '3' };
  const repeated = Buffer.concat([
    ...Object.entries(sparse).map(([key, value]) => paxRecord(key, value)),
    ...map.map((value, index) => paxRecord(`GNU.sparse.${index % 2 ? 'numbytes' : 'offset'}`, String(value))),
  ]);
  const mapBlock = padded(Buffer.from(`3\n${map.join('\n')}\n`));
  const archives: Record<string, Buffer> = {
    'old GNU': tarEntry({ name: 'sparse', type: 'S', format: 'gnu', content, raw: old }),
    'old GNU with an extension block': extended(),
    'PAX 0.0': Buffer.concat([
      tarEntry({ name: 'x', type: 'x', content: repeated }),
      tarEntry({ name: 'sparse', content }),
    ]),
    'PAX 0.1': tarEntry({
      name: 'GNUSparseFile.1/sparse',
      content,
      pax: { ...sparse, 'GNU.sparse.map': map.join(','), 'GNU.sparse.name': 'sparse' },
    }),
    'PAX 1.0': tarEntry({
      name: 'GNUSparseFile.1/sparse',
      content: Buffer.concat([mapBlock, Buffer.from(content)]),
      pax: {
        'GNU.sparse.major': '1',
        'GNU.sparse.minor': '0',
        'GNU.sparse.realsize': '100000',
        'GNU.sparse.name': 'sparse',
      },
    }),
  };
  for (const [name, archive] of Object.entries(archives)) {
    inAllPieces(`reads the format ${name}`, (extract) => {
      const { root } = extract([archive, { name: 'next', content: 'y' }]);
      assert.deepEqual(readFileSync(join(root, 'sparse')), expected);
      assert.ok(lstatSync(join(root, 'sparse')).blocks * 512 < expected.length);
      assert.equal(readFileSync(join(root, 'next'), 'utf8'), 'y');
    });
  }

  inAllPieces('makes a file of holes alone', (extract) => {
    const pax = { 'GNU.sparse.size': '1000000', 'GNU.sparse.map': '1000000,0' };
    assert.equal(statSync(join(extract([{ name: 'hole', pax }]).root, 'hole')).size, 1_000_000);
  });

  inAllPieces('refuses maps that do not fit', (extract) => {
    const withMap =
      (text: string, size = '100') =>
      () =>
        extract([{ name: 'a', content: 'xx', pax: { 'GNU.sparse.size': size, 'GNU.sparse.map': text } }]);
    for (const text of ['0,1', '0,1,0,1', '99,2', '5,1,3,1', '0,2,5', '0,-2', 'x,2']) {
      assert.throws(withMap(text), { code: 'ERR_LAYER_CORRUPT' }, text);
    }
    withMap('0,2')();
  });
});
