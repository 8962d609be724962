import type { EntryType, TarEntry } from './entry';
import { LayerCorruptError, LayerUnsupportedError } from './errors';
import { Extensions } from './extensions';
import { BLOCK_SIZE, type Header, isZeroBlock, readHeader } from './header';
import { showName } from './names';
import { readOldSparse, readOldSparseSize, SparseMapReader, verifySparseMap } from './sparse';

/** Names, links, PAX records with their xattrs: far above what the kernel takes. */
const MAX_EXTENSION_SIZE = 8 << 20;

/** Receives what the parser finds, in archive order. */
export interface TarSink {
  begin(entry: TarEntry): void;
  /** Data of the entry begun last, for a position in its file. The view is only valid during the call. */
  data(view: Buffer, start: number, end: number, position: number): void;
  finish(): void;
}

const TYPES: Record<string, EntryType> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
};

/** L, K: GNU's long names; x, g: PAX; X: the same by Sun. */
const EXTENSIONS = 'LKxgX';

type State = 'header' | 'extension' | 'old-sparse' | 'sparse-map' | 'data' | 'padding' | 'end';

/**
 * A push parser for uncompressed tar archives: v7, ustar, PAX, GNU, star. It takes pieces of any length and
 * keeps none of them; data goes to the sink as it lies in the piece.
 */
export class TarParser {
  readonly #sink: TarSink;
  #state: State = 'header';
  #extensions = new Extensions();
  /** The start of a block or extension header whose rest has not come yet. */
  #carry = Buffer.alloc(BLOCK_SIZE);
  #carried = 0;
  #flag = '';
  #extensionSize = 0;
  #entry: TarEntry | undefined;
  #mapReader: SparseMapReader | undefined;
  /** Bytes of data, or of padding, that are still to come. */
  #remaining = 0;
  #padding = 0;
  /** The piece of the sparse map that the data belongs to, and where in the file the next byte goes. */
  #piece = 0;
  #position = 0;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** @throws {LayerCorruptError} {LayerUnsupportedError} and whatever the sink throws */
  write(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length && this.#state !== 'end') {
      if (this.#state === 'data') offset = this.#passData(chunk, offset);
      else if (this.#state === 'padding') offset = this.#skipPadding(chunk, offset);
      else offset = this.#collect(chunk, offset);
    }
  }

  /** @throws {LayerCorruptError} if the archive is cut off */
  end(): void {
    // Some writers leave out the zero blocks, so a clean border between entries is an end as well.
    const isComplete = this.#state === 'header' && this.#carried === 0 && !this.#extensions.pending;
    if (this.#state !== 'end' && !isComplete) throw new LayerCorruptError('the archive is cut off');
  }

  /** Gathers one block (or one extension header) in one piece, and interprets it. */
  #collect(chunk: Buffer, offset: number): number {
    const needed = this.#state === 'extension' ? this.#extensionSize + this.#padding : BLOCK_SIZE;
    const available = Math.min(needed - this.#carried, chunk.length - offset);
    if (this.#carried === 0 && available === needed) {
      this.#interpret(chunk.subarray(offset, offset + needed));
      return offset + needed;
    }
    if (this.#carry.length < needed) this.#carry = Buffer.alloc(needed);
    chunk.copy(this.#carry, this.#carried, offset, offset + available);
    this.#carried += available;
    if (this.#carried === needed) {
      this.#carried = 0;
      this.#interpret(this.#carry.subarray(0, needed));
    }
    return offset + available;
  }

  #interpret(block: Buffer): void {
    if (this.#state === 'header') {
      this.#interpretHeader(block);
      return;
    }
    if (this.#state === 'extension') {
      this.#extensions.add(this.#flag, Buffer.from(block.subarray(0, this.#extensionSize)));
      this.#state = 'header';
      return;
    }
    const entry = this.#entry!;
    if (this.#state === 'old-sparse') {
      if (!readOldSparse(block, true, entry.sparse!.map)) this.#begin(entry);
      return;
    }
    entry.size -= BLOCK_SIZE;
    const map = this.#mapReader!.add(block);
    if (entry.size < 0) throw new LayerCorruptError('a sparse map is longer than its entry');
    if (!map) return;
    entry.sparse!.map = map;
    this.#begin(entry);
  }

  #interpretHeader(block: Buffer): void {
    if (isZeroBlock(block)) {
      if (this.#extensions.pending) throw new LayerCorruptError('the archive ends where an entry is due');
      this.#state = 'end';
      return;
    }
    const header = readHeader(block);
    if (EXTENSIONS.includes(header.flag)) {
      this.#beginExtension(header);
      return;
    }
    const size = this.#extensions.size(header);
    if (size < 0) throw new LayerCorruptError(`the size of ${showName(header.name)} is negative`);
    this.#padding = paddingOf(size);
    if (header.flag === 'V') {
      this.#skip(size + this.#padding);
      return;
    }
    const entry = this.#makeEntry(header, size);
    const hasMapInData = this.#extensions.apply(entry);
    this.#entry = entry;
    if (header.flag === 'S') {
      entry.sparse = { map: [], size: readOldSparseSize(block) };
      if (readOldSparse(block, false, entry.sparse.map)) {
        this.#state = 'old-sparse';
        return;
      }
    } else if (hasMapInData) {
      this.#mapReader = new SparseMapReader();
      this.#state = 'sparse-map';
      return;
    }
    this.#begin(entry);
  }

  #beginExtension(header: Header): void {
    if (header.size < 0 || header.size > MAX_EXTENSION_SIZE) {
      throw new LayerUnsupportedError(`an extension header of ${header.size} bytes`);
    }
    this.#flag = header.flag;
    this.#extensionSize = header.size;
    this.#padding = paddingOf(header.size);
    if (header.size > 0) this.#state = 'extension';
  }

  #makeEntry(header: Header, size: number): TarEntry {
    const type = TYPES[header.flag];
    if (!type) {
      const flag = JSON.stringify(header.flag);
      throw new LayerUnsupportedError(`the entry ${showName(header.name)} has the unknown type ${flag}`);
    }
    return {
      type,
      name: header.name,
      linkName: header.linkName,
      mode: header.mode,
      uid: header.uid,
      gid: header.gid,
      modified: { seconds: header.seconds, nanoseconds: 0 },
      size,
      major: header.major,
      minor: header.minor,
      xattrs: [],
    };
  }

  #begin(entry: TarEntry): void {
    // v7 has no type for directories.
    if (entry.type === 'file' && entry.name.endsWith('/')) {
      entry.type = 'directory';
      this.#sink.begin(entry);
      this.#sink.finish();
      this.#skip(entry.size + this.#padding);
      return;
    }
    if (entry.type !== 'file') {
      // Only files have data: some writers give links their target's size.
      this.#sink.begin(entry);
      this.#sink.finish();
      this.#state = 'header';
      return;
    }
    if (entry.sparse) verifySparseMap(entry.sparse.map, entry.size, entry.sparse.size);
    this.#sink.begin(entry);
    this.#remaining = entry.size;
    this.#piece = 0;
    this.#position = entry.sparse?.map[0] ?? 0;
    if (entry.size === 0) this.#endData();
    else this.#state = 'data';
  }

  #passData(chunk: Buffer, offset: number): number {
    let length = Math.min(this.#remaining, chunk.length - offset);
    const map = this.#entry!.sparse?.map;
    if (map) {
      const end = map[this.#piece]! + map[this.#piece + 1]!;
      if (this.#position === end) {
        this.#piece += 2;
        this.#position = map[this.#piece]!;
        return offset;
      }
      length = Math.min(length, end - this.#position);
    }
    this.#sink.data(chunk, offset, offset + length, this.#position);
    this.#position += length;
    this.#remaining -= length;
    if (this.#remaining === 0) this.#endData();
    return offset + length;
  }

  #endData(): void {
    this.#sink.finish();
    this.#entry = undefined;
    this.#skip(this.#padding);
  }

  #skip(bytes: number): void {
    this.#remaining = bytes;
    this.#state = this.#remaining > 0 ? 'padding' : 'header';
  }

  #skipPadding(chunk: Buffer, offset: number): number {
    const length = Math.min(this.#remaining, chunk.length - offset);
    this.#remaining -= length;
    if (this.#remaining === 0) this.#state = 'header';
    return offset + length;
  }
}

/** Bytes that fill data up to whole blocks. */
function paddingOf(size: number): number {
  return -size & (BLOCK_SIZE - 1);
}
