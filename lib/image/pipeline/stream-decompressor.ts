import type { Gunzip, ZstdDecompress } from 'node:zlib';
import { type Decompressor, type Output, undecompressable } from './decompressor';

/** Runs one of node:zlib's streams chunk by chunk, so that a blocking output slows the input down. */
export class StreamDecompressor implements Decompressor {
  #failure: unknown;
  readonly #ended: Promise<void>;
  #wake = () => {};

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
    stream.once('error', (error: Error) => {
      this.#failure ??= undecompressable(error.message, { cause: error });
    });
    stream.once('close', () => this.#wake());
    this.#ended = new Promise((resolve) => {
      stream.once('end', resolve);
      stream.once('close', resolve);
    });
  }

  /** Bytes of input that belonged to the compressed data, not to what follows it. */
  get consumed(): number {
    return this.stream.bytesWritten;
  }

  async push(chunk: Uint8Array): Promise<void> {
    // node:zlib stops at what does not belong to the compressed data, such as padding.
    if (this.stream.readableEnded) return;
    await new Promise<void>((resolve) => {
      // After an error node:zlib never calls back for the chunk that had it.
      this.#wake = resolve;
      this.stream.write(chunk, () => resolve());
    });
    if (this.#failure) throw this.#failure;
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
