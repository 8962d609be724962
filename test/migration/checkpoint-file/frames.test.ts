import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { compress, decompress } from '../../../lib/migration/checkpoint-file/compression';
import { FrameReader, FrameWriter } from '../../../lib/migration/checkpoint-file/frames';

const PARTS: [string, Buffer[]][] = [
  ['upper', [randomBytes(70_000), randomBytes(1)]],
  ['volume:state', []],
  ['images', [Buffer.alloc(1 << 20), randomBytes(3_000)]],
];

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

function written(): Promise<Buffer> {
  const writer = new FrameWriter();
  async function* frames(): AsyncGenerator<Uint8Array> {
    yield writer.header({ name: 'box' });
    for (const [name, pieces] of PARTS) {
      yield writer.part(name);
      for (const piece of pieces) yield writer.data(piece);
      yield writer.partEnd();
    }
    yield writer.end();
  }
  return collect(compress(frames()));
}

async function read(file: Buffer, size: number): Promise<[unknown, [string, Buffer][]]> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
  }
  const reader = new FrameReader(decompress(pieces()));
  const header = await reader.header();
  const parts: [string, Buffer][] = [];
  for (let name = await reader.part(); name !== undefined; name = await reader.part()) {
    parts.push([name, await collect(reader.data())]);
  }
  await reader.close();
  return [header, parts];
}

describe('migration: the frames of a checkpoint file', () => {
  it('are read as they were written, however the bytes come', async () => {
    const file = await written();
    const wanted = [{ name: 'box' }, PARTS.map(([name, pieces]) => [name, Buffer.concat(pieces)])];
    for (const size of [7, 4_096, file.length]) assert.deepEqual(await read(file, size), wanted);
  });

  it('are refused when any byte is another', async () => {
    const file = await written();
    for (let at = 0; at < 60_000; at += 997) {
      const damaged = Buffer.from(file);
      damaged[at]! ^= 0x55;
      await assert.rejects(read(damaged, 65_536), { code: 'ERR_CHECKPOINT_FILE_DAMAGED' }, `at ${at}`);
    }
  });

  it('are refused when the end is missing, or all of it', async () => {
    const file = await written();
    for (const length of [0, 5, 19, 30, 5_000, file.length - 50]) {
      const cut = read(file.subarray(0, length), 4_096);
      await assert.rejects(cut, { code: 'ERR_CHECKPOINT_FILE_DAMAGED' }, `${length}`);
    }
    const other = read(Buffer.from('PK not a checkpoint of a container'), 4_096);
    await assert.rejects(other, { code: 'ERR_CHECKPOINT_FILE_DAMAGED', message: /no checkpoint/ });
  });
});
