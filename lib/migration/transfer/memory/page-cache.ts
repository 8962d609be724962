import { TransferFailedError } from '../errors';
import { PAGE, pageDigest } from './pages';

/** The pages that have come ahead of the dump, in memory and by number; the target sets how many there may be. */
export class PageCache {
  readonly #chunks: { first: number; bytes: Uint8Array }[] = [];
  readonly #digests: string[] = [];

  add(bytes: Uint8Array): void {
    this.#chunks.push({ first: this.#digests.length, bytes });
    for (let at = 0; at < bytes.length; at += PAGE)
      this.#digests.push(pageDigest(bytes.subarray(at, at + PAGE)));
  }

  digest(page: number): string {
    const digest = this.#digests[page];
    if (digest === undefined) throw new TransferFailedError(`page ${page} never came`);
    return digest;
  }

  /** The memory of `count` pages in a row, in as few pieces as it lies in. */
  *pieces(first: number, count: number): Generator<Uint8Array> {
    let page = first;
    const end = first + count;
    for (let index = this.#chunkOf(first); page < end; index += 1) {
      const chunk = this.#chunks[index];
      if (!chunk) throw new TransferFailedError(`page ${page} never came`);
      const start = (page - chunk.first) * PAGE;
      const piece = chunk.bytes.subarray(start, start + (end - page) * PAGE);
      yield piece;
      page += piece.length / PAGE;
    }
  }

  #chunkOf(page: number): number {
    let [low, high] = [0, this.#chunks.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#chunks[middle]!.first <= page) low = middle;
      else high = middle;
    }
    return low;
  }
}
