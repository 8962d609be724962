import type { Gunzip, ZstdDecompress } from 'node:zlib';
import { type Decompressor, type Output, undecompressable } from './decompressor';

/** Runs one of node:zlib's streams chunk by chunk, so that a blocking output slows the input down. */
export class StreamDecompressor implements Decompressor {
  #failure: unknown;
  readonly #ended: Promise<void>;

  constructor(
    private readonly stream: Gunzip | ZstdDecompress,
    output: Output,
  ) {
    stream.on('data', (bytes: Buffer) => {
      if (this.#failure) return;
      try {
        output(bytes);
      } catch (error) {
        this.#failure = error;
        stream.destroy();
      }
    });
    this.#ended = new Promise((resolve) => {
      stream.once('end', resolve);
      stream.once('close', resolve);
      stream.once('error', (error: Error) => {
        this.#failure ??= undecompressable(error.message, { cause: error });
        resolve();
      });
    });
  }

  /** Bytes of input that belonged to the compressed data, not to what follows it. */
  get consumed(): number {
    return this.stream.bytesWritten;
  }

  push(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.stream.write(chunk, (error) => {
        if (this.#failure || error) reject(this.#failure ?? undecompressable(error!.message));
        else resolve();
      });
    });
  }

  async end(): Promise<void> {
    this.stream.end();
    await this.#ended;
    if (this.#failure) throw this.#failure;
  }

  close(): void {
    this.stream.destroy();
  }
}
