import type { FileHandle } from 'node:fs/promises';
import { AbortedError } from '../../base';
import type { BlobReader } from '../image';
import { ImageArchiveError } from './errors';

/** Bytes per read: few enough calls, and a short wait for the thread pool. */
const PIECE = 512 << 10;

/** A part of an open file. */
export class FileReader implements BlobReader {
  #position: number;
  #closed = false;

  /** Reads `[start, end)`; `done` is called once, at the end or when closed. */
  constructor(
    readonly path: string,
    private readonly file: FileHandle,
    start: number,
    private readonly end: number,
    private readonly signal: AbortSignal | undefined,
    private readonly done: () => void = () => {},
  ) {
    this.#position = start;
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#position >= this.end) {
      this.close();
      return undefined;
    }
    if (this.signal?.aborted) this.close();
    if (this.#closed) throw new AbortedError(`reading ${this.path}`, { cause: this.signal?.reason });
    // Not from the shared pool, and fresh each time: the piece belongs to the caller.
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, this.end - this.#position));
    const { bytesRead } = await this.file.read(piece, 0, piece.length, this.#position);
    if (bytesRead === 0) throw new ImageArchiveError(this.path, 'it ends too early');
    this.#position += bytesRead;
    return bytesRead === piece.length ? piece : piece.subarray(0, bytesRead);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.done();
  }
}
