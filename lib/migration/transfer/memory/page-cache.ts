import { TransferFailedError } from '../errors';
import { PAGE, pageDigest } from './pages';

const DIGEST = 32;

interface Chunk {
  first: number;
  bytes: Uint8Array;
  /** Of its pages, one after another. */
  digests: Buffer;
}

/** The pages that have come ahead of the dump, in memory and by number; the target sets how many there may be. */
export class PageCache {
  readonly #chunks: Chunk[] = [];
  #pages = 0;

  add(bytes: Uint8Array): void {
    const pages = Math.ceil(bytes.length / PAGE);
    const digests = Buffer.allocUnsafe(pages * DIGEST);
    for (let page = 0; page < pages; page += 1) {
      digests.write(pageDigest(bytes.subarray(page * PAGE, (page + 1) * PAGE)), page * DIGEST, 'latin1');
    }
    this.#chunks.push({ first: this.#pages, bytes, digests });
    this.#pages += pages;
  }

  /** Pages in a row and their digests, in as few pieces as they lie in. @throws {TransferFailedError} */
  *pieces(first: number, count: number): Generator<{ bytes: Uint8Array; digests: Uint8Array }> {
    let page = first;
    const end = first + count;
    for (let index = this.#chunkOf(first); page < end; index += 1) {
      const chunk = this.#chunks[index];
      const [from, to] = [page - (chunk?.first ?? 0), end - (chunk?.first ?? 0)];
      const bytes = chunk?.bytes.subarray(from * PAGE, to * PAGE);
      if (!chunk || !bytes?.length) throw new TransferFailedError(`page ${page} never came`);
      yield { bytes, digests: chunk.digests.subarray(from * DIGEST, to * DIGEST) };
      page += bytes.length / PAGE;
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
