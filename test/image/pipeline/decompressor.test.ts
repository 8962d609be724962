import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Decompressor, Output } from '../../../lib/image/pipeline/decompressor';
import { DetectingDecompressor } from '../../../lib/image/pipeline/detecting-decompressor';
import { GzipDecompressor } from '../../../lib/image/pipeline/gzip';

type Make = (output: Output) => Decompressor;

const detecting: Make = (output) => new DetectingDecompressor(output);
const withoutBinding: Make = (output) => new GzipDecompressor(output, false);

/** Pushes the chunks through, each from one reused buffer, as a ring hands them out. */
async function decompress(chunks: Uint8Array[], make: Make = detecting): Promise<Buffer> {
  const parts: Buffer[] = [];
  const decompressor = make((bytes) => parts.push(Buffer.from(bytes)));
  const shared = Buffer.alloc(Math.max(1, ...chunks.map((chunk) => chunk.length)));
  try {
    for (const chunk of chunks) {
      shared.set(chunk);
      await decompressor.push(shared.subarray(0, chunk.length));
      shared.fill(0xee);
    }
    await decompressor.end();
  } finally {
    decompressor.close();
  }
  return Buffer.concat(parts);
}

function cut(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += size) chunks.push(bytes.subarray(start, start + size));
  return chunks;
}

/** Text that compresses, and is not the same everywhere. */
function sample(bytes: number): Buffer {
  const words = Array.from({ length: 200 }, () => randomBytes(4).toString('hex'));
  let text = '';
  while (text.length < bytes) text += `${words[Math.floor(Math.random() * words.length)]} `;
  return Buffer.from(text.slice(0, bytes));
}

const rejected = { code: 'ERR_LAYER_CORRUPT' };

for (const [name, make] of [
  ['gzip with zlib-sync', detecting],
  ['gzip with node:zlib alone', withoutBinding],
] as const) {
  describe(name, () => {
    it('inflates one member, whatever the sizes of the chunks', async () => {
      const data = sample(300_000);
      const zipped = gzipSync(data);
      for (const size of [1000, 4097, 65_536, zipped.length]) {
        assert.deepEqual(await decompress(cut(zipped, size), make), data, `chunks of ${size}`);
      }
      const short = sample(3000);
      assert.deepEqual(await decompress(cut(gzipSync(short), 1), make), short);
    });

    it('inflates data that unpacks to a thousand times its size', async () => {
      const data = Buffer.alloc(30_000_000);
      assert.ok((await decompress(cut(gzipSync(data), 65_536), make)).equals(data));
    });

    it('hands out bounded pieces', async () => {
      let largest = 0;
      const decompressor = make((bytes) => {
        largest = Math.max(largest, bytes.length);
      });
      for (const chunk of cut(gzipSync(Buffer.alloc(200_000_000)), 65_536)) await decompressor.push(chunk);
      await decompressor.end();
      assert.ok(largest <= 5 << 20, `${largest} bytes at once`);
    });

    it('continues with further members, at every place where a chunk may end', async () => {
      const members = [sample(500), Buffer.alloc(0), sample(700), sample(20)];
      const zipped = Buffer.concat(members.map((member) => gzipSync(member)));
      const data = Buffer.concat(members);
      for (let at = 1; at < zipped.length; at += 1) {
        const chunks = [zipped.subarray(0, at), zipped.subarray(at)];
        assert.ok((await decompress(chunks, make)).equals(data), `cut at ${at}`);
      }
      assert.deepEqual(await decompress(cut(zipped, 1), make), data);
    });

    it('finds the next member after an empty one, whose trailer is all zeros', async () => {
      const data = sample(100);
      const zipped = Buffer.concat([gzipSync(''), gzipSync(''), gzipSync(data)]);
      for (let at = 1; at < zipped.length; at += 1) {
        const chunks = [zipped.subarray(0, at), zipped.subarray(at)];
        assert.deepEqual(await decompress(chunks, make), data, `cut at ${at}`);
      }
    });

    it('ignores zeros after the last member', async () => {
      const data = sample(1000);
      for (const tail of [Buffer.alloc(1), Buffer.alloc(100_000)]) {
        for (const members of [[data], [data, Buffer.alloc(0)], [data, data]]) {
          const zipped = Buffer.concat([...members.map((member) => gzipSync(member)), tail]);
          for (const size of [700, 65_536]) {
            assert.deepEqual(await decompress(cut(zipped, size), make), Buffer.concat(members));
          }
        }
      }
    });

    it('refuses anything else after the last member', async () => {
      const zipped = gzipSync(sample(1000));
      for (const tail of [Buffer.from('garbage'), Buffer.from([0x1f]), Buffer.from([0x1f, 0x8b, 0x09])]) {
        for (const members of [
          [zipped, tail],
          [zipped, zipped, tail],
        ]) {
          await assert.rejects(decompress(members, make), rejected, tail.toString('hex'));
          await assert.rejects(decompress([Buffer.concat(members)], make), rejected, tail.toString('hex'));
        }
      }
    });

    it('notices truncation at every byte', async () => {
      const zipped = gzipSync(sample(600));
      for (let length = 2; length < zipped.length; length += 1) {
        await assert.rejects(decompress([zipped.subarray(0, length)], make), rejected, `${length} bytes`);
      }
    });

    it('notices flipped bits, unless they mean nothing', async () => {
      const data = sample(2000);
      const zipped = gzipSync(data);
      // From the deflate data on: some fields of the header mean nothing.
      for (let at = 10; at < zipped.length; at += 3) {
        const damaged = Buffer.from(zipped);
        damaged[at]! ^= 1 << (at % 8);
        try {
          // The last bits of the deflate data may only fill its last byte up.
          assert.deepEqual(await decompress([damaged], make), data, `byte ${at}`);
          assert.equal(at + 1, zipped.length - 8, `byte ${at}`);
        } catch (error) {
          assert.equal((error as { code: string }).code, rejected.code, `byte ${at}: ${error}`);
        }
      }
    });

    it('passes an error of its output on', async () => {
      const failure = new Error('no room');
      const decompressor = make(() => {
        throw failure;
      });
      await assert.rejects(async () => {
        for (const chunk of cut(gzipSync(randomBytes(500_000)), 65_536)) await decompressor.push(chunk);
        await decompressor.end();
      }, failure);
      decompressor.close();
    });
  });
}

describe('gzip by its first bytes', () => {
  it('notices truncation in a further member', async () => {
    const first = gzipSync(sample(600));
    const zipped = Buffer.concat([first, gzipSync(sample(600))]);
    for (let length = first.length + 12; length < zipped.length; length += 1) {
      await assert.rejects(decompress(cut(zipped.subarray(0, length), 100)), rejected, `${length} bytes`);
    }
  });
});

describe('zstd', () => {
  it('inflates frames one after another and skips skippable ones', async () => {
    const skippable = Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
    const parts = [sample(700), sample(90), sample(20_000)];
    const zipped = Buffer.concat([
      skippable,
      ...parts.flatMap((part) => [zstdCompressSync(part), skippable]),
    ]);
    const data = Buffer.concat(parts);
    for (const size of [1, 7, 1000, zipped.length]) {
      assert.deepEqual(await decompress(cut(zipped, size)), data, `chunks of ${size}`);
    }
  });

  it('inflates large data', async () => {
    const data = sample(3_000_000);
    assert.ok((await decompress(cut(zstdCompressSync(data), 65_536))).equals(data));
  });

  it('notices truncation and damage', async () => {
    const zipped = zstdCompressSync(sample(600));
    for (let length = 4; length < zipped.length; length += 1) {
      await assert.rejects(decompress([zipped.subarray(0, length)]), rejected, `${length} bytes`);
    }
    await assert.rejects(decompress([zipped, Buffer.from('rubbish after it')]), rejected);
  });
});

describe('uncompressed layers', () => {
  it('pass through, also when tiny or empty', async () => {
    for (const data of [Buffer.alloc(0), Buffer.from('x'), Buffer.from('a tar\0\0'), sample(200_000)]) {
      assert.deepEqual(await decompress(cut(data, 3000)), data);
    }
  });
});
