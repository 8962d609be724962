import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ObjectCorruptError } from '../errors';
import { DIGEST_BYTES, objectCid } from '../tree/cid';
import {
  blockOrder,
  CHUNK_BYTES,
  leafBlock,
  leafCount,
  leafDigest,
  spanBytes,
  treeRoot,
} from '../tree/layout';
import { decodeFooter, type Footer, LONGEST_FOOTER, TRAILER_BYTES, tableBytes } from './format';

/** The footer of an object's file, without a look at its bytes. */
export function readFooter(path: string, cid: string): Footer {
  const file = openSync(path, 'r');
  try {
    return footerOf(file, cid).footer;
  } finally {
    closeSync(file);
  }
}

function footerOf(file: number, cid: string): { footer: Footer; tail: Buffer } {
  const { size } = fstatSync(file);
  const tail = readExactly(file, cid, Math.max(0, size - LONGEST_FOOTER - TRAILER_BYTES), size);
  const footer = decodeFooter(tail, size);
  if (!footer) throw new ObjectCorruptError(cid, size === 0 ? 'its file is empty' : 'its end is missing');
  return { footer, tail };
}

function readExactly(file: number, cid: string, from: number, to: number, into?: Buffer): Buffer {
  const buffer = into ?? Buffer.allocUnsafeSlow(to - from);
  for (let done = 0; from + done < to; ) {
    const count = readSync(file, buffer, done, to - from - done, from + done);
    if (count === 0)
      throw new ObjectCorruptError(cid, 'its file is too short', Math.floor(from / CHUNK_BYTES));
    done += count;
  }
  return buffer;
}

/** An object's file being read; every leaf is checked. All calls are synchronous: for a thread of its own. */
export class ObjectReader {
  readonly footer: Footer;
  readonly #file: number;
  readonly #digests: Buffer;
  #order: ReturnType<typeof blockOrder> | undefined;

  /** @throws {ObjectCorruptError} and what node:fs throws */
  constructor(
    path: string,
    private readonly cid: string,
  ) {
    this.#file = openSync(path, 'r');
    try {
      const { footer, tail } = footerOf(this.#file, cid);
      this.footer = footer;
      const from = footer.size;
      const length = tableBytes(from);
      const tailStart = fstatSync(this.#file).size - tail.length;
      // The tail that was read for the footer often has the table too.
      this.#digests =
        from >= tailStart
          ? tail.subarray(from - tailStart, from - tailStart + length)
          : readExactly(this.#file, cid, from, from + length);
      if (objectCid(treeRoot(this.#digests, from).digest) !== cid) {
        throw new ObjectCorruptError(cid, 'its list of hashes is wrong');
      }
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  /** The bytes of `count` leaves from `first` on. @throws {ObjectCorruptError} naming the first wrong leaf */
  leaves(first: number, count: number): Buffer {
    const { size } = this.footer;
    const last = Math.min(first + count, leafCount(size));
    const from = first * CHUNK_BYTES;
    const bytes = Buffer.allocUnsafeSlow(spanBytes(size, first, last));
    for (let leaf = first; leaf < last; leaf += 1) {
      const [start, length] = [leaf * CHUNK_BYTES, spanBytes(size, leaf, leaf + 1)];
      const part = bytes.subarray(start - from, start - from + length);
      // Read and hash in turns, while the bytes are in the processor's cache.
      readExactly(this.#file, this.cid, start, start + length, part);
      if (!leafDigest(part).equals(this.#digestOf(leaf))) {
        throw new ObjectCorruptError(this.cid, `block ${leaf} has other bytes`, leaf);
      }
    }
    return bytes;
  }

  /** Whether all leaves of the span are right; the first wrong one in an error. */
  check(first: number, count: number): void {
    this.leaves(first, count);
  }

  /** The next blocks in the order of `blockOrder`, about a mebibyte of them; none at the end. */
  blocks(firstLeaf: number): Uint8Array[] {
    this.#order ??= blockOrder(this.#digests, this.footer.size, firstLeaf);
    const blocks: Uint8Array[] = [];
    for (let bytes = 0; bytes < 4 * CHUNK_BYTES; ) {
      const { value, done } = this.#order.next();
      if (done) break;
      const block = 'block' in value ? value.block : leafBlock(this.leaves(value.leaf, 1));
      blocks.push(block);
      bytes += block.length;
    }
    return blocks;
  }

  close(): void {
    closeSync(this.#file);
  }

  #digestOf(leaf: number): Buffer {
    return this.#digests.subarray(leaf * DIGEST_BYTES, (leaf + 1) * DIGEST_BYTES);
  }
}
