import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Ring, RingBrokenError } from '../../../lib/image/pipeline/ring';

const RING_MODULE = join(__dirname, '../../../lib/image/pipeline/ring.js');

/** Reads a ring to its end in a thread of its own; answers the hash of what came, or the error's code. */
function readInThread(ring: Ring, reader: number, limit: number, pauseMs = 0): Promise<string> {
  const program = `
    const { workerData, parentPort } = require('node:worker_threads');
    const { createHash } = require('node:crypto');
    const { Ring } = require(workerData.module);
    const ring = new Ring(workerData.handle);
    const hash = createHash('sha256');
    const pause = new Int32Array(new SharedArrayBuffer(4));
    try {
      for (;;) {
        const chunk = ring.read(workerData.reader, workerData.limit);
        if (!chunk) break;
        hash.update(chunk);
        if (workerData.pauseMs) Atomics.wait(pause, 0, 0, workerData.pauseMs);
        ring.release(workerData.reader, chunk.length);
      }
      parentPort.postMessage(hash.digest('hex'));
    } catch (error) {
      parentPort.postMessage(error.code);
    }`;
  return answerOf(program, { module: RING_MODULE, handle: ring.handle, reader, limit, pauseMs });
}

/** Writes bytes in a thread, in chunks of the given sizes; answers `done` or the error's code. */
function writeInThread(ring: Ring, bytes: Buffer, sizes: number[]): Promise<string> {
  const program = `
    const { workerData, parentPort } = require('node:worker_threads');
    const { Ring } = require(workerData.module);
    const ring = new Ring(workerData.handle);
    const { bytes, sizes } = workerData;
    try {
      for (let offset = 0, turn = 0; offset < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length];
        ring.write(bytes.subarray(offset, offset + size));
        offset += size;
      }
      ring.end();
      parentPort.postMessage('done');
    } catch (error) {
      parentPort.postMessage(error.code);
    }`;
  return answerOf(program, { module: RING_MODULE, handle: ring.handle, bytes, sizes });
}

function answerOf(program: string, workerData: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { eval: true, workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('Ring', () => {
  it('hands over bytes in order, also where they wrap around', () => {
    const ring = Ring.create(16);
    const seen: number[] = [];
    const take = (limit: number) => {
      const chunk = ring.read(0, limit)!;
      seen.push(...chunk);
      ring.release(0, chunk.length);
      return chunk.length;
    };
    ring.write(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    assert.equal(take(8), 8);
    ring.write(Uint8Array.from([11, 12, 13, 14, 15, 16, 17, 18, 19, 20]));
    assert.equal(ring.free, 4);
    // A view cannot go around the end: first the rest of the buffer, then its start.
    assert.equal(take(100), 8);
    assert.equal(take(100), 4);
    ring.end();
    assert.equal(ring.read(0, 1), undefined);
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  it('gives the remaining bytes before the end', () => {
    const ring = Ring.create(8);
    ring.write(Uint8Array.from([1, 2]));
    ring.end();
    assert.deepEqual([...ring.read(0, 8)!], [1, 2]);
    ring.release(0, 2);
    assert.equal(ring.read(0, 8), undefined);
  });

  it('counts the slowest of two readers', () => {
    const ring = Ring.create(8, 2);
    ring.write(Uint8Array.from([1, 2, 3, 4, 5, 6]));
    ring.release(0, ring.read(0, 6)!.length);
    assert.equal(ring.free, 2);
    ring.release(1, ring.read(1, 4)!.length);
    assert.equal(ring.free, 6);
  });

  it('keeps counting where 32-bit positions overflow', () => {
    const ring = Ring.create(16);
    const positions = new Int32Array(ring.handle.control);
    // Both positions 4 bytes before 2^32, as after 4 GiB of data.
    positions[3] = -4;
    positions[4] = -4;
    ring.write(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]));
    assert.equal(ring.free, 8);
    const seen: number[] = [];
    while (seen.length < 8) {
      const chunk = ring.read(0, 16)!;
      seen.push(...chunk);
      ring.release(0, chunk.length);
    }
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(ring.free, 16);
  });

  it('carries a stream from the main thread to two readers of different speed', async () => {
    const ring = Ring.create(1 << 14, 2);
    const bytes = randomBytes(300_000);
    const readers = [readInThread(ring, 0, 5000), readInThread(ring, 1, 70_000, 1)];
    for (let offset = 0; offset < bytes.length; offset += 7001) {
      await ring.writeAsync(bytes.subarray(offset, offset + 7001));
    }
    ring.end();
    assert.deepEqual(await Promise.all(readers), [hashOf(bytes), hashOf(bytes)]);
  });

  it('takes chunks larger than itself', async () => {
    const ring = Ring.create(1 << 10);
    const bytes = randomBytes(100_000);
    const reader = readInThread(ring, 0, 300);
    await ring.writeAsync(bytes);
    ring.end();
    assert.equal(await reader, hashOf(bytes));
  });

  it('loses nothing for any mix of sizes, from thread to threads', async () => {
    const runs = Array.from({ length: 6 }, async (_, run) => {
      const ring = Ring.create(1 << (4 + run * 2), 2);
      const bytes = randomBytes(20_000 << run);
      const sizes = Array.from({ length: 50 }, () => 1 + Math.floor(Math.random() * (40 << (run * 2))));
      const limits = [1 + Math.floor(Math.random() * 5000), 1 + Math.floor(Math.random() * 300)];
      const [written, ...hashes] = await Promise.all([
        writeInThread(ring, bytes, sizes),
        readInThread(ring, 0, limits[0]!),
        readInThread(ring, 1, limits[1]!),
      ]);
      const context = `sizes ${sizes}, limits ${limits}`;
      assert.equal(written, 'done', context);
      assert.deepEqual(hashes, [hashOf(bytes), hashOf(bytes)], context);
    });
    await Promise.all(runs);
  });

  it('wakes a waiting reader when the writer fails', async () => {
    const ring = Ring.create(64);
    const reader = readInThread(ring, 0, 64);
    await ring.writeAsync(Buffer.from('some'));
    while (ring.free < 64) await new Promise((resolve) => setImmediate(resolve));
    ring.fail();
    assert.equal(await reader, 'ERR_IMAGE_PIPELINE_BROKEN');
  });

  it('wakes a waiting writer, blocking or not, when a reader fails', async () => {
    const ring = Ring.create(64);
    const writer = writeInThread(ring, randomBytes(1000), [100]);
    while (ring.free > 0) await new Promise((resolve) => setImmediate(resolve));
    ring.fail();
    assert.equal(await writer, 'ERR_IMAGE_PIPELINE_BROKEN');
    const other = Ring.create(64);
    const pending = other.writeAsync(randomBytes(1000));
    other.fail();
    await assert.rejects(pending, RingBrokenError);
  });

  it('throws at every end once it has failed, also when bytes are left', () => {
    const ring = Ring.create(64);
    ring.write(Buffer.from('left'));
    ring.end();
    ring.fail();
    assert.throws(() => ring.read(0, 4), RingBrokenError);
    assert.throws(() => ring.write(Buffer.from('x')), RingBrokenError);
  });

  it('is as new after a reset', () => {
    const ring = Ring.create(8);
    ring.write(Buffer.from('abc'));
    ring.end();
    ring.reset();
    ring.write(Buffer.from('12345678'));
    assert.equal(Buffer.from(ring.read(0, 8)!).toString(), '12345678');
  });
});
