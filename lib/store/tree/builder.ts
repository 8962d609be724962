import { ObjectTooLargeError } from '../errors';
import { DIGEST_BYTES } from './cid';
import { CHUNK_BYTES, leafDigest, MAXIMUM_OBJECT_BYTES, treeRoot } from './layout';

const NO_BYTES = Buffer.alloc(0);

/** Memory for an unfinished chunk that nobody uses: new memory costs more than the hashing of what is put there. */
let spare: Buffer | undefined;

/** Hashes an object as its bytes come; keeps one unfinished chunk and 32 bytes for each finished one. */
export class TreeBuilder {
  #digests = Buffer.alloc(64 * DIGEST_BYTES);
  #leaves = 0;
  #size = 0;
  #rest: Buffer | undefined;
  #restLength = 0;

  get size(): number {
    return this.#size;
  }

  /** Finished chunks. */
  get leaves(): number {
    return this.#leaves;
  }

  /** SHA-256 of the blocks of the finished chunks. */
  get digests(): Buffer {
    return this.#digests.subarray(0, this.#leaves * DIGEST_BYTES);
  }

  /** @throws {ObjectTooLargeError} */
  push(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    let at = 0;
    if (this.#restLength > 0) {
      at = Math.min(CHUNK_BYTES - this.#restLength, bytes.length);
      this.#keep(bytes.subarray(0, at));
      if (this.#restLength < CHUNK_BYTES) return;
      this.#add(leafDigest(this.#rest!));
      this.#restLength = 0;
    }
    for (; at + CHUNK_BYTES <= bytes.length; at += CHUNK_BYTES) {
      this.#add(leafDigest(bytes.subarray(at, at + CHUNK_BYTES)));
    }
    this.#keep(bytes.subarray(at));
  }

  /** Takes a whole chunk whose hash is known; only between whole chunks. */
  pushLeaf(length: number, digest: Uint8Array): void {
    this.#grow(length);
    this.#add(digest);
  }

  /** The SHA-256 that the object's CID holds. */
  finish(): Buffer {
    if (this.#restLength > 0 || this.#leaves === 0) {
      this.#add(leafDigest(this.#rest?.subarray(0, this.#restLength) ?? NO_BYTES));
      this.#restLength = 0;
    }
    spare ??= this.#rest;
    this.#rest = undefined;
    return treeRoot(this.digests, this.#size).digest;
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (!this.#rest) [this.#rest, spare] = [spare ?? Buffer.allocUnsafeSlow(CHUNK_BYTES), undefined];
    this.#rest.set(bytes, this.#restLength);
    this.#restLength += bytes.length;
  }

  #grow(length: number): void {
    this.#size += length;
    if (this.#size > MAXIMUM_OBJECT_BYTES) throw new ObjectTooLargeError();
  }

  #add(digest: Uint8Array): void {
    const at = this.#leaves * DIGEST_BYTES;
    if (at === this.#digests.length) this.#digests = Buffer.concat([this.#digests, Buffer.alloc(at)]);
    this.#digests.set(digest, at);
    this.#leaves += 1;
  }
}
