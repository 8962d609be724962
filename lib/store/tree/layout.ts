import { createHash, hash } from 'node:crypto';
import { DIGEST_BYTES } from './cid';
import { encodeDagNode } from './dag-pb';
import { encodeParentData, leafFrame } from './unixfs';

/**
 * How an object becomes blocks: chunks of 262,144 bytes as leaves, a balanced tree with up to 174 links a
 * node, all leaves at the same depth, filled from the left. That is what IPFS's `add` did with its defaults
 * (kubo, "balanced" layout), so the size of an object says its whole shape, and leaf hashes its whole tree.
 */
export const CHUNK_BYTES = 262_144;
export const LINKS = 174;
/** Largest object: its list of leaf hashes stays within 8 MiB of memory. */
export const MAXIMUM_OBJECT_BYTES = 64 * 2 ** 30;
/** No block is larger: a leaf's frame takes 15 bytes at most, and a full parent under 11,000. */
export const MAXIMUM_BLOCK_BYTES = CHUNK_BYTES + 16;

/** An empty object is one empty leaf. */
export function leafCount(size: number): number {
  return Math.max(1, Math.ceil(size / CHUNK_BYTES));
}

/** Bytes of the object under its leaves from `start` to before `end`. */
export function spanBytes(size: number, start: number, end: number): number {
  return Math.min(size, end * CHUNK_BYTES) - Math.min(size, start * CHUNK_BYTES);
}

/** 0 for a tree that is one leaf. */
export function treeHeight(leaves: number): number {
  let height = 0;
  for (let reach = 1; reach < leaves; reach *= LINKS) height += 1;
  return height;
}

/** How many leaves a full subtree of that height has. */
export function leavesUnder(height: number): number {
  return LINKS ** height;
}

/** The leaves under each child of the node that stands over `start` to before `end`. */
export function childSpans(height: number, start: number, end: number): { start: number; end: number }[] {
  const step = leavesUnder(height - 1);
  const spans = [];
  for (let at = start; at < end; at += step) spans.push({ start: at, end: Math.min(end, at + step) });
  return spans;
}

/** SHA-256 of a leaf's block. */
export function leafDigest(bytes: Uint8Array): Buffer {
  const { head, tail } = leafFrame(bytes.length);
  return createHash('sha256').update(head).update(bytes).update(tail).digest();
}

/** A leaf's block as it is sent. */
export function leafBlock(bytes: Uint8Array): Uint8Array {
  const { head, tail } = leafFrame(bytes.length);
  const block = new Uint8Array(head.length + bytes.length + tail.length);
  block.set(head);
  block.set(bytes, head.length);
  block.set(tail, head.length + bytes.length);
  return block;
}

/** The SHA-256 of every leaf in order, one after the other. */
export type LeafDigests = Buffer;

export interface Subtree {
  digest: Buffer;
  /** Bytes of all its blocks. */
  totalSize: number;
  /** The block of its uppermost node; undefined for a leaf. */
  block?: Uint8Array;
}

/** Rebuilds the subtree of a height over some leaves of an object, from the leaves' hashes. */
export function subtree(
  digests: LeafDigests,
  size: number,
  height: number,
  start: number,
  end: number,
): Subtree {
  if (height === 0) {
    const digest = digests.subarray(start * DIGEST_BYTES, (start + 1) * DIGEST_BYTES);
    const length = spanBytes(size, start, end);
    const { head, tail } = leafFrame(length);
    return { digest, totalSize: head.length + length + tail.length };
  }
  const spans = childSpans(height, start, end);
  const children = spans.map((span) => subtree(digests, size, height - 1, span.start, span.end));
  const data = encodeParentData(
    spanBytes(size, start, end),
    spans.map((span) => spanBytes(size, span.start, span.end)),
  );
  const block = encodeDagNode({ links: children, data });
  const totalSize = children.reduce((total, child) => total + child.totalSize, block.length);
  return { digest: hash('sha256', block, 'buffer'), totalSize, block };
}

/** The whole tree's root. */
export function treeRoot(digests: LeafDigests, size: number): Subtree {
  const leaves = leafCount(size);
  return subtree(digests, size, treeHeight(leaves), 0, leaves);
}

/**
 * The order in which an object's blocks travel: each node before its children, leaves from `firstLeaf` on;
 * subtrees that lie wholly before it are left out. So a receiver can check each block the moment it comes.
 */
export function* blockOrder(
  digests: LeafDigests,
  size: number,
  firstLeaf: number,
): Generator<{ block: Uint8Array } | { leaf: number }> {
  const leaves = leafCount(size);
  function* visit(height: number, start: number, end: number): ReturnType<typeof blockOrder> {
    if (end <= firstLeaf) return;
    if (height === 0) {
      yield { leaf: start };
      return;
    }
    yield { block: subtree(digests, size, height, start, end).block! };
    for (const span of childSpans(height, start, end)) yield* visit(height - 1, span.start, span.end);
  }
  yield* visit(treeHeight(leaves), 0, leaves);
}

/** How many blocks `blockOrder` gives. */
export function blockCount(size: number, firstLeaf: number): number {
  const leaves = leafCount(size);
  let count = 0;
  for (let height = treeHeight(leaves); height >= 0; height -= 1) {
    const under = leavesUnder(height);
    count += Math.ceil(leaves / under) - Math.floor(firstLeaf / under);
  }
  return count;
}
