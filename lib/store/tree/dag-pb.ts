import { BlockInvalidError } from '../errors';
import { DIGEST_BYTES } from './cid';
import { FieldReader, varintLength, writeVarint } from './varint';

/** A child of a dag-pb node: what a `PBLink` without a name says. */
export interface Link {
  /** SHA-256 of the child's block. */
  digest: Uint8Array;
  /** Bytes of the child's block and of all blocks under it (`Tsize`). */
  totalSize: number;
}

export interface DagNode {
  links: Link[];
  data: Uint8Array;
}

/** A CIDv0 in binary: SHA-256, 32 bytes. */
const MULTIHASH_PREFIX = [0x12, DIGEST_BYTES];
const HASH_BYTES = 2 + DIGEST_BYTES;

/** Encodes a dag-pb block: links first, then data. Source: IPLD dag-pb specification, "Serial format". */
export function encodeDagNode({ links, data }: DagNode): Uint8Array {
  let size = 1 + varintLength(data.length) + data.length;
  for (const link of links) {
    const length = linkLength(link);
    size += 1 + varintLength(length) + length;
  }
  const block = new Uint8Array(size);
  let at = 0;
  for (const link of links) {
    block[at++] = 0x12;
    at = writeVarint(block, at, linkLength(link));
    block[at++] = 0x0a;
    block[at++] = HASH_BYTES;
    block.set(MULTIHASH_PREFIX, at);
    block.set(link.digest, at + 2);
    at += HASH_BYTES;
    // An empty name, written out as all IPFS implementations do.
    block[at++] = 0x12;
    block[at++] = 0;
    block[at++] = 0x18;
    at = writeVarint(block, at, link.totalSize);
  }
  block[at++] = 0x0a;
  at = writeVarint(block, at, data.length);
  block.set(data, at);
  return block;
}

function linkLength(link: Link): number {
  return 2 + HASH_BYTES + 2 + 1 + varintLength(link.totalSize);
}

/**
 * Decodes a dag-pb block whose links are CIDv0s by SHA-256 without names, in the canonical order of fields.
 *
 * @throws {BlockInvalidError} for anything else
 */
export function decodeDagNode(block: Uint8Array, maximumLinks: number): DagNode {
  const reader = new FieldReader(block);
  const links: Link[] = [];
  let data: Uint8Array | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x12 && !data) {
      if (links.length === maximumLinks) throw new BlockInvalidError(`it has over ${maximumLinks} links`);
      links.push(decodeLink(reader.field()));
    } else if (tag === 0x0a && !data) data = reader.field();
    else throw new BlockInvalidError(`field ${tag >> 3} does not belong there`);
  }
  if (!data) throw new BlockInvalidError('it has no data');
  return { links, data };
}

function decodeLink(bytes: Uint8Array): Link {
  const reader = new FieldReader(bytes);
  const hash = expectField(reader, 0x0a);
  if (hash.length !== HASH_BYTES || MULTIHASH_PREFIX.some((byte, index) => hash[index] !== byte)) {
    throw new BlockInvalidError('a link in it is not by SHA-256');
  }
  if (expectField(reader, 0x12).length > 0) throw new BlockInvalidError('a link in it has a name');
  if (reader.tag() !== 0x18) throw new BlockInvalidError('a link in it has no size');
  const totalSize = reader.varint();
  if (!reader.done) throw new BlockInvalidError('a link in it says too much');
  return { digest: hash.subarray(2), totalSize };
}

function expectField(reader: FieldReader, tag: number): Uint8Array {
  if (reader.tag() !== tag) throw new BlockInvalidError('a link in it has its fields in another order');
  return reader.field();
}
