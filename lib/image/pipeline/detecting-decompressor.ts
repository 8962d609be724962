import type { Decompressor, Output } from './decompressor';
import { GzipDecompressor } from './gzip';
import { ZstdDecompressor } from './zstd';

/** Uncompressed layers pass through. */
class PlainDecompressor implements Decompressor {
  constructor(private readonly output: Output) {}

  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.output(chunk);
  }

  end(): void {}

  close(): void {}
}

const LONGEST_MAGIC = 4;

/**
 * Chooses by the first bytes (RFC 1952, RFC 8878), since media types in manifests are not always true and
 * archives have none.
 */
export class DetectingDecompressor implements Decompressor {
  #start: Uint8Array = new Uint8Array(0);
  #chosen: Decompressor | undefined;

  constructor(private readonly output: Output) {}

  push(chunk: Uint8Array): void | Promise<void> {
    if (this.#chosen) return this.#chosen.push(chunk);
    this.#start = this.#start.length === 0 ? chunk : Buffer.concat([this.#start, chunk]);
    if (this.#start.length >= LONGEST_MAGIC) return this.#choose().push(this.#start);
    // The caller's view does not outlive this call.
    this.#start = Uint8Array.from(this.#start);
  }

  async end(): Promise<void> {
    if (!this.#chosen) await this.#choose().push(this.#start);
    await this.#chosen!.end();
  }

  close(): void {
    this.#chosen?.close();
  }

  #choose(): Decompressor {
    const start = this.#start;
    if (start[0] === 0x1f && start[1] === 0x8b) this.#chosen = new GzipDecompressor(this.output);
    else if (ZstdDecompressor.recognises(start)) this.#chosen = new ZstdDecompressor(this.output);
    else this.#chosen = new PlainDecompressor(this.output);
    return this.#chosen;
  }
}
