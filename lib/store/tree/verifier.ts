import { hash } from 'node:crypto';
import { BlockInvalidError, BlockMismatchError, LayoutUnsupportedError } from '../errors';
import { decodeDagNode } from './dag-pb';
import {
  CHUNK_BYTES,
  childSpans,
  type LeafDigests,
  LINKS,
  leafCount,
  MAXIMUM_BLOCK_BYTES,
  MAXIMUM_OBJECT_BYTES,
  spanBytes,
  subtree,
  treeHeight,
} from './layout';
import { decodeFileData, leafFrame } from './unixfs';

interface Expected {
  digest: Uint8Array;
  height: number;
  start: number;
  end: number;
}

export interface VerifiedLeaf {
  bytes: Uint8Array;
  digest: Buffer;
}

/**
 * Checks an object's blocks in the order of `blockOrder`, each against the hash that its parent gave, and
 * refuses any shape other than this store's. Holds no more than one node of each level.
 */
export class BlockVerifier {
  readonly #stack: Expected[] = [];
  #size: number | undefined;
  #leaf: number;
  #failed = false;

  /** `known` are the hashes of the leaves before `firstLeaf`, which came earlier. */
  constructor(
    private readonly root: Uint8Array,
    private readonly firstLeaf = 0,
    private readonly known: LeafDigests = Buffer.alloc(0),
  ) {
    this.#leaf = firstLeaf;
  }

  /** Bytes of the object, once its root has come. */
  get size(): number | undefined {
    return this.#size;
  }

  get done(): boolean {
    return this.#size !== undefined && this.#stack.length === 0;
  }

  /**
   * Takes the next block; answers the leaf that it is, or undefined for a node.
   *
   * @throws {BlockMismatchError} {BlockInvalidError} {LayoutUnsupportedError}
   */
  push(block: Uint8Array): VerifiedLeaf | undefined {
    // Blocks may be on their way already when one is wrong: none of them may take its place.
    if (this.#failed) throw new BlockInvalidError('it comes after a wrong one');
    this.#failed = true;
    const leaf = this.#check(block);
    this.#failed = false;
    return leaf;
  }

  #check(block: Uint8Array): VerifiedLeaf | undefined {
    if (this.done) throw new BlockInvalidError('it comes after the end');
    if (block.length > MAXIMUM_BLOCK_BYTES) throw new BlockInvalidError('it is too long');
    const expected = this.#stack.pop();
    const digest = hash('sha256', block, 'buffer');
    if (!digest.equals(expected?.digest ?? this.root)) throw new BlockMismatchError(this.#leaf);
    const { links, data } = decodeDagNode(block, LINKS);
    const file = decodeFileData(data, LINKS);
    const place = expected ?? this.#takeRoot(file.fileSize);
    const fileSize = spanBytes(this.#size!, place.start, place.end);
    if (file.fileSize !== fileSize) throw new LayoutUnsupportedError();
    if (place.height > 0) {
      if (file.bytes.length > 0) throw new LayoutUnsupportedError();
      this.#descend(place, links, file.blockSizes);
      return undefined;
    }
    const { head, tail } = leafFrame(fileSize);
    const canonical = file.bytes.length === fileSize && block.length === head.length + fileSize + tail.length;
    if (!canonical || links.length > 0) throw new LayoutUnsupportedError();
    this.#leaf += 1;
    return { bytes: file.bytes, digest };
  }

  #takeRoot(size: number): Expected {
    if (size > MAXIMUM_OBJECT_BYTES) throw new LayoutUnsupportedError();
    const leaves = leafCount(size);
    if (this.firstLeaf >= leaves) throw new BlockMismatchError(this.firstLeaf);
    this.#size = size;
    return { digest: this.root, height: treeHeight(leaves), start: 0, end: leaves };
  }

  #descend(place: Expected, links: { digest: Uint8Array }[], blockSizes: number[]): void {
    const size = this.#size!;
    const spans = childSpans(place.height, place.start, place.end);
    if (spans.length !== links.length || spans.length !== blockSizes.length)
      throw new LayoutUnsupportedError();
    for (let index = spans.length - 1; index >= 0; index -= 1) {
      const { start, end } = spans[index]!;
      // A copy: the block's memory is the caller's.
      const digest = Buffer.from(links[index]!.digest);
      if (blockSizes[index] !== spanBytes(size, start, end)) throw new LayoutUnsupportedError();
      const height = place.height - 1;
      if (end > this.firstLeaf) this.#stack.push({ digest, height, start, end });
      // What came earlier belongs to this object only if the tree over it says so.
      else if (!subtree(this.known, size, height, start, end).digest.equals(digest)) {
        throw new BlockMismatchError(start);
      }
    }
  }
}

/** Whole leaves in so many bytes of an unfinished object. */
export function wholeLeaves(bytes: number): number {
  return Math.floor(bytes / CHUNK_BYTES);
}
