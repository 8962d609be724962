import { createRequire } from 'node:module';
import { createGunzip } from 'node:zlib';
import type * as ZlibSync from 'zlib-sync';
import { type Decompressor, type Output, undecompressable } from './decompressor';
import { StreamDecompressor } from './stream-decompressor';

const Z_SYNC_FLUSH = 2;
const Z_STREAM_END = 1;
const Z_BUF_ERROR = -5;

const LARGEST_PUSH = 64 << 10;
const SMALLEST_PUSH = 1 << 10;
/** zlib-sync does not cap what one push puts out, so the pushes shrink when the data unpacks to more. */
const LARGEST_OUTPUT = 1 << 20;
const OUTPUT_STEP = 64 << 10;
const STREAM_CHUNK = 256 << 10;
/** CRC32 and ISIZE, RFC 1952 section 2.3.1. */
const TRAILER = 8;
const ISIZE = 4;
const MAGIC = 3;

function loadBinding(): typeof ZlibSync | undefined {
  try {
    return createRequire(__filename)('zlib-sync') as typeof ZlibSync;
  } catch {
    // Not built for this Node: slower, but all works.
    return undefined;
  }
}

const binding = loadBinding();

/**
 * Keeps every instance of zlib-sync until its thread ends: when the garbage collector frees one at a moment
 * at which no JavaScript runs, Node 24 aborts the process.
 */
const keptAlive: ZlibSync.Inflate[] = [];

/**
 * gzip (RFC 1952). The first member, which mostly is the only one, goes through zlib-sync, the fastest
 * there is; further members go through node:zlib, since each instance of zlib-sync leaks 26 KiB and eStargz
 * layers have a member per file. Zeros after the last member are padding.
 */
export class GzipDecompressor implements Decompressor {
  #first: FirstMember | undefined;
  #others: StreamDecompressor | undefined;
  /** What came after the first member, until it is clear what it is. */
  #after: Uint8Array | undefined;
  #trailing = false;

  constructor(
    private readonly output: Output,
    useBinding = binding !== undefined,
  ) {
    if (useBinding) this.#first = new FirstMember(binding!, output);
    else this.#startOthers();
  }

  push(chunk: Uint8Array): void | Promise<void> {
    if (this.#trailing) return;
    if (this.#others) return this.#others.push(chunk);
    if (!this.#after) {
      this.#after = this.#first!.push(chunk);
      if (!this.#after) return;
    } else {
      this.#after = Buffer.concat([this.#after, chunk]);
    }
    return this.#continueAfterFirst(false);
  }

  async end(): Promise<void> {
    if (!this.#after && !this.#others && !this.#trailing) {
      this.#after = this.#first!.end();
      if (!this.#after) throw undecompressable('the data stops before the end');
    }
    if (this.#after) await this.#continueAfterFirst(true);
    await this.#others?.end();
  }

  close(): void {
    this.#others?.close();
    this.#first = undefined;
  }

  #startOthers(): StreamDecompressor {
    this.#others = new StreamDecompressor(createGunzip({ chunkSize: STREAM_CHUNK }), this.output);
    return this.#others;
  }

  #continueAfterFirst(atEnd: boolean): void | Promise<void> {
    const next = this.#first!.findNextMember(this.#after!, atEnd);
    if (next === undefined) return;
    this.#after = undefined;
    this.#first = undefined;
    if (next.length > 0) return this.#startOthers().push(next);
    this.#trailing = true;
  }
}

/** Inflates one member and finds where the next one starts, which zlib-sync does not say. */
class FirstMember {
  readonly #inflate: ZlibSync.Inflate;
  #size = 0;
  #push = SMALLEST_PUSH * 4;
  /** The last bytes pushed before the current piece: the trailer may have started there. */
  #tail = Buffer.alloc(0);
  /** Where in the window that `push` or `end` answered the trailer ends at the latest. */
  #latestEnd = 0;

  constructor(
    zlibSync: typeof ZlibSync,
    private readonly output: Output,
  ) {
    this.#inflate = new zlibSync.Inflate({ windowBits: 31, chunkSize: OUTPUT_STEP });
    keptAlive.push(this.#inflate);
  }

  /** Answers, once the member has ended, the bytes in which its trailer and what follows lie. */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let offset = 0; offset < bytes.length; ) {
      const piece = bytes.subarray(offset, offset + this.#push);
      offset += piece.length;
      if (this.#step(piece)) {
        this.#latestEnd = this.#tail.length + piece.length;
        return Buffer.concat([this.#tail, piece, bytes.subarray(offset)]);
      }
      this.#tail = Buffer.concat([this.#tail, piece.subarray(-TRAILER)]).subarray(-(TRAILER - 1));
    }
    return undefined;
  }

  /** At the end of input: zlib-sync may hold output back when its buffer happened to be just full. */
  end(): Uint8Array | undefined {
    this.#latestEnd = this.#tail.length;
    return this.#step(Buffer.alloc(0)) ? this.#tail : undefined;
  }

  /**
   * The bytes from the next member's start on; none when only padding follows; undefined when more input
   * is needed to tell. The end of the trailer is the member's size, known by now, right before the next
   * header or the end. The same bytes may occur before by chance, but not with a header behind them; zlib
   * has checked the CRC, so it need not be computed a second time to look for it.
   */
  findNextMember(window: Uint8Array, atEnd: boolean): Uint8Array | undefined {
    const bytes = Buffer.from(window.buffer, window.byteOffset, window.length);
    const size = Buffer.alloc(ISIZE);
    size.writeUInt32LE(this.#size % 2 ** 32);
    let undecided = false;
    let padded = false;
    for (let at = bytes.indexOf(size); at >= 0; at = bytes.indexOf(size, at + 1)) {
      if (at + ISIZE > this.#latestEnd) break;
      const next = bytes.subarray(at + ISIZE);
      if (next.length < MAGIC && !atEnd) undecided = true;
      else if (next[0] === 0x1f && next[1] === 0x8b && next[2] === 8) return next;
      else if (next.length === 0 || next[0] === 0) padded = true;
    }
    if (undecided) return undefined;
    if (padded) return new Uint8Array(0);
    throw undecompressable('something that is not gzip follows its end');
  }

  #step(piece: Buffer): boolean {
    this.#inflate.push(piece, Z_SYNC_FLUSH);
    const { err } = this.#inflate;
    if (err === Z_BUF_ERROR) return false; // Nothing to put out yet.
    if (err < 0) throw undecompressable(this.#inflate.msg ?? `zlib error ${err}`);
    const result = this.#inflate.result as Buffer;
    const { length } = result;
    if (length > 0) {
      this.#size += length;
      this.output(result);
      // Frees the memory now: garbage outside the heap grows to 30 MB before V8 looks after it.
      if (result.byteLength === result.buffer.byteLength) (result.buffer as ArrayBuffer).transfer(0);
    }
    const affordable = (LARGEST_OUTPUT * piece.length) / Math.max(length, 1);
    this.#push = Math.max(SMALLEST_PUSH, Math.min(LARGEST_PUSH, this.#push * 2, affordable & ~1023));
    return err === Z_STREAM_END;
  }
}
