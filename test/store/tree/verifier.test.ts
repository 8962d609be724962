import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { TreeBuilder } from '../../../lib/store/tree/builder';
import { encodeDagNode } from '../../../lib/store/tree/dag-pb';
import { blockOrder, CHUNK_BYTES, LINKS, leafBlock } from '../../../lib/store/tree/layout';
import { encodeParentData } from '../../../lib/store/tree/unixfs';
import { BlockVerifier } from '../../../lib/store/tree/verifier';
import { patternBytes } from '../support/bytes';

function blocksOf(bytes: Buffer, firstLeaf = 0): { root: Buffer; blocks: Uint8Array[]; digests: Buffer } {
  const builder = new TreeBuilder();
  builder.push(bytes);
  const root = builder.finish();
  const blocks: Uint8Array[] = [];
  for (const item of blockOrder(builder.digests, bytes.length, firstLeaf)) {
    if ('block' in item) blocks.push(item.block);
    else blocks.push(leafBlock(bytes.subarray(item.leaf * CHUNK_BYTES, (item.leaf + 1) * CHUNK_BYTES)));
  }
  return { root, blocks, digests: builder.digests };
}

function receive(verifier: BlockVerifier, blocks: Uint8Array[]): Buffer {
  const leaves: Uint8Array[] = [];
  for (const block of blocks) {
    const leaf = verifier.push(block);
    if (leaf) leaves.push(leaf.bytes);
  }
  return Buffer.concat(leaves);
}

describe('the verifier of blocks', () => {
  const big = patternBytes((2 * LINKS + 3) * CHUNK_BYTES + 5);

  for (const size of [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES]) {
    it(`gives back an object of ${size} bytes`, () => {
      const bytes = big.subarray(0, size);
      const { root, blocks } = blocksOf(bytes);
      const verifier = new BlockVerifier(root);
      assert.deepEqual(receive(verifier, blocks), bytes);
      assert.ok(verifier.done);
      assert.equal(verifier.size, size);
    });
  }

  it('goes on in the middle of a tree of two levels, and checks what came before', () => {
    for (const first of [1, LINKS - 1, LINKS, LINKS + 1, 2 * LINKS, 2 * LINKS + 3]) {
      const { root, blocks, digests } = blocksOf(big, first);
      const verifier = new BlockVerifier(root, first, digests.subarray(0, first * 32));
      assert.deepEqual(receive(verifier, blocks), big.subarray(first * CHUNK_BYTES), `from ${first}`);
      assert.ok(verifier.done);
      const wrong = Buffer.from(digests.subarray(0, first * 32));
      wrong[wrong.length - 1]! ^= 1;
      assert.throws(() => receive(new BlockVerifier(root, first, wrong), blocks), {
        code: 'ERR_STORE_BLOCK_MISMATCH',
      });
    }
  });

  it('refuses a changed bit wherever it is', () => {
    const { root, blocks } = blocksOf(big.subarray(0, 3 * CHUNK_BYTES));
    for (const [index, block] of blocks.entries()) {
      for (const at of [0, Math.floor(block.length / 2), block.length - 1]) {
        const changed = [...blocks];
        changed[index] = Buffer.from(block);
        changed[index]![at]! ^= 0x10;
        assert.throws(() => receive(new BlockVerifier(root), changed), { code: 'ERR_STORE_BLOCK_MISMATCH' });
      }
    }
  });

  it('refuses blocks in another order, twice, or after the end', () => {
    const { root, blocks } = blocksOf(big.subarray(0, 3 * CHUNK_BYTES));
    const [node, first, second, third] = blocks as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const mismatch = { code: 'ERR_STORE_BLOCK_MISMATCH' };
    assert.throws(() => receive(new BlockVerifier(root), [first]), mismatch);
    assert.throws(() => receive(new BlockVerifier(root), [node, second]), mismatch);
    assert.throws(() => receive(new BlockVerifier(root), [node, first, first]), mismatch);
    assert.throws(() => receive(new BlockVerifier(root), [node, first, second, third, third]), {
      code: 'ERR_STORE_BLOCK_INVALID',
    });
  });

  it('takes nothing after a wrong block', () => {
    const { root, blocks } = blocksOf(big.subarray(0, 3 * CHUNK_BYTES));
    const verifier = new BlockVerifier(root);
    verifier.push(blocks[0]!);
    assert.throws(() => verifier.push(blocks[2]!), { code: 'ERR_STORE_BLOCK_MISMATCH' });
    assert.throws(() => verifier.push(blocks[2]!), { code: 'ERR_STORE_BLOCK_INVALID' });
    assert.equal(verifier.done, false);
  });

  it('refuses other shapes, sizes that lie, and what is no file, although their hashes are right', () => {
    const leaf = leafBlock(big.subarray(0, 1000));
    const link = { digest: hash('sha256', leaf, 'buffer'), totalSize: leaf.length };
    const verify = (block: Uint8Array) => new BlockVerifier(hash('sha256', block, 'buffer')).push(block);
    const node = (fileSize: number, blockSizes: number[], links = blockSizes.map(() => link)) =>
      verify(encodeDagNode({ links, data: encodeParentData(fileSize, blockSizes) }));
    const unsupported = { code: 'ERR_STORE_LAYOUT_UNSUPPORTED' };
    const invalid = { code: 'ERR_STORE_BLOCK_INVALID' };
    assert.throws(() => node(2000, [1000, 1000]), unsupported);
    assert.throws(() => node(CHUNK_BYTES + 1, [CHUNK_BYTES, 2]), unsupported);
    assert.throws(() => node(CHUNK_BYTES + 1, [CHUNK_BYTES, 1], [link]), unsupported);
    assert.throws(() => node(2 ** 50, [CHUNK_BYTES]), unsupported);
    assert.throws(() => node(1000, [], []), unsupported);
    assert.throws(() => node(200 * CHUNK_BYTES, new Array(175).fill(CHUNK_BYTES)), invalid);
    assert.throws(() => verify(Buffer.alloc(CHUNK_BYTES + 1000)), invalid);
    assert.throws(() => verify(Buffer.alloc(0)), invalid);
    assert.throws(() => verify(Buffer.from('0a0408011800', 'hex')), invalid);
    assert.throws(() => verify(Buffer.from('0a0508021880', 'hex')), invalid);
    assert.throws(() => verify(Buffer.from('0a050802188000', 'hex')), invalid);
    assert.throws(() => verify(Buffer.from('0a06080218ffffffff', 'hex')), invalid);
  });
});
