import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { TreeBuilder } from '../tree/builder';
import { objectCid, objectDigest } from '../tree/cid';
import { CHUNK_BYTES } from '../tree/layout';
import { BlockVerifier, wholeLeaves } from '../tree/verifier';
import { encodeEnd } from './format';

/** So many bytes are written between two syncs, so that the last one does not take for ever. */
const SYNC_EVERY = 32 << 20;

/**
 * An object's file being written under a temporary name, from bytes or from verified blocks. All calls are
 * synchronous: for a thread of its own.
 */
export class ObjectWriter {
  readonly #file: number;
  readonly #tree = new TreeBuilder();
  #verifier: BlockVerifier | undefined;
  #unsynced = 0;

  /** Makes the file, or goes on after the whole leaves of the one that is there. */
  constructor(path: string, resume = false) {
    this.#file = openSync(path, resume ? 'r+' : 'wx+', 0o644);
    if (resume) this.#replay();
  }

  #replay(): void {
    // Not the last one: it may have been torn, and there has to be one left that proves the others.
    const leaves = wholeLeaves(fstatSync(this.#file).size) - 1;
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (let leaf = 0; leaf < leaves; leaf += 1) {
      const count = readSync(this.#file, chunk, 0, CHUNK_BYTES, leaf * CHUNK_BYTES);
      if (count < CHUNK_BYTES) break;
      this.#tree.push(chunk);
    }
    ftruncateSync(this.#file, this.#tree.size);
  }

  /** Finished leaves. */
  get leaves(): number {
    return this.#tree.leaves;
  }

  append(bytes: Uint8Array): void {
    this.#write(bytes, this.#tree.size);
    this.#tree.push(bytes);
  }

  /** Takes blocks of the object from the leaf on that is next. @throws {BlockMismatchError} ... */
  expect(cid: string): void {
    this.#verifier = new BlockVerifier(objectDigest(cid), this.#tree.leaves, Buffer.from(this.#tree.digests));
  }

  /** Takes the next block; answers how far the object has come. */
  block(block: Uint8Array): { leaves: number; size: number | undefined } {
    const verifier = this.#verifier!;
    const leaf = verifier.push(block);
    if (leaf) {
      this.#write(leaf.bytes, this.#tree.size);
      this.#tree.pushLeaf(leaf.bytes.length, leaf.digest);
    }
    return { leaves: this.#tree.leaves, size: verifier.size };
  }

  /** Bytes that were written, for those who follow. */
  read(from: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(Math.min(length, this.#tree.size - from));
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(this.#file, bytes, done, bytes.length - done, from + done);
      if (count === 0) throw Object.assign(new Error('EIO: the file has shrunk'), { code: 'EIO' });
      done += count;
    }
    return bytes;
  }

  /** Writes the end and makes all of it durable. */
  seal(writer: string, createdAt: number): { cid: string; size: number } {
    const digest = this.#tree.finish();
    const { size, digests } = this.#tree;
    this.#write(encodeEnd(digests, { version: 1, size, writer, createdAt }), size);
    fsyncSync(this.#file);
    return { cid: objectCid(digest), size };
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#file, bytes, done, bytes.length - done, position + done);
    }
    this.#unsynced += bytes.length;
    if (this.#unsynced < SYNC_EVERY) return;
    fdatasyncSync(this.#file);
    this.#unsynced = 0;
  }
}
