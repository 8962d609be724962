import { BlockInvalidError } from '../errors';
import { FieldReader, varintLength, writeVarint } from './varint';

/** What a UnixFS `Data` message of a file says. Source: UnixFS specification, "Data format". */
export interface FileData {
  /** The bytes in this block; empty in a block that has children. */
  bytes: Uint8Array;
  /** Bytes of the file under this block. */
  fileSize: number;
  /** Bytes of the file under each child. */
  blockSizes: number[];
}

const TYPE_FILE = 2;

/** The message of a block with children. */
export function encodeParentData(fileSize: number, blockSizes: number[]): Uint8Array {
  let size = 2 + 1 + varintLength(fileSize);
  for (const blockSize of blockSizes) size += 1 + varintLength(blockSize);
  const data = new Uint8Array(size);
  data.set([0x08, TYPE_FILE, 0x18]);
  let at = writeVarint(data, 3, fileSize);
  for (const blockSize of blockSizes) {
    data[at++] = 0x20;
    at = writeVarint(data, at, blockSize);
  }
  return data;
}

/**
 * What stands before and after the bytes in a leaf's block, dag-pb's wrapping included, so that a block can
 * be hashed and sent without being put together.
 */
export function leafFrame(length: number): { head: Uint8Array; tail: Uint8Array } {
  // An empty file has no bytes field at all.
  const bytesField = length === 0 ? 0 : 1 + varintLength(length);
  const tail = new Uint8Array(1 + varintLength(length));
  tail[0] = 0x18;
  writeVarint(tail, 1, length);
  const dataLength = 2 + bytesField + length + tail.length;
  const head = new Uint8Array(1 + varintLength(dataLength) + 2 + bytesField);
  head[0] = 0x0a;
  let at = writeVarint(head, 1, dataLength);
  head[at++] = 0x08;
  head[at++] = TYPE_FILE;
  if (length > 0) {
    head[at++] = 0x12;
    writeVarint(head, at, length);
  }
  return { head, tail };
}

/** Decodes the message of a file, in the canonical order of fields. @throws {BlockInvalidError} */
export function decodeFileData(data: Uint8Array, maximumChildren: number): FileData {
  const reader = new FieldReader(data);
  if (reader.tag() !== 0x08 || reader.varint() !== TYPE_FILE) throw new BlockInvalidError('it is no file');
  let bytes: Uint8Array = new Uint8Array(0);
  let tag = reader.tag();
  if (tag === 0x12) {
    bytes = reader.field();
    tag = reader.tag();
  }
  if (tag !== 0x18) throw new BlockInvalidError('it does not say its size');
  const fileSize = reader.varint();
  const blockSizes: number[] = [];
  while (!reader.done) {
    if (reader.tag() !== 0x20) throw new BlockInvalidError('it says more than a file does');
    if (blockSizes.length === maximumChildren) throw new BlockInvalidError('it has too many children');
    blockSizes.push(reader.varint());
  }
  return { bytes, fileSize, blockSizes };
}
