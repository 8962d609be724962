import { createZstdDecompress } from 'node:zlib';
import { type Decompressor, type Output, undecompressable } from './decompressor';
import { StreamDecompressor } from './stream-decompressor';

const CHUNK_SIZE = 256 << 10;

/**
 * Zstandard (RFC 8878). node:zlib stops after one frame, but layers may have many (zstd:chunked has one per
 * file, and skippable ones between), so each frame gets its own decompressor.
 */
export class ZstdDecompressor implements Decompressor {
  #frame: StreamDecompressor | undefined;

  static recognises(start: Uint8Array): boolean {
    if (start.length < 4) return false;
    const magic = Buffer.from(start.subarray(0, 4)).readUInt32LE();
    return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
  }

  constructor(private readonly output: Output) {}

  async push(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      this.#frame ??= new StreamDecompressor(createZstdDecompress({ chunkSize: CHUNK_SIZE }), this.output);
      const before = this.#frame.consumed;
      await this.#frame.push(rest);
      const used = this.#frame.consumed - before;
      if (used === rest.length) return;
      await this.end();
      if (used === 0 && before === 0) throw undecompressable('no zstd frame where one should start');
      rest = rest.subarray(used);
    }
  }

  async end(): Promise<void> {
    const frame = this.#frame;
    this.#frame = undefined;
    await frame?.end();
    frame?.close();
  }

  close(): void {
    this.#frame?.close();
  }
}
