import { type LongCall, throwIfAborted } from '../base';
import { ObjectCorruptError } from './errors';
import type { Fetch } from './fetch/fetch';
import type { OpenObject } from './nas/nas';
import { bytesPassed } from './passing-memory';
import type { ObjectOrigin, StoredObject } from './store';
import { CHUNK_BYTES, leafCount } from './tree/layout';

/** Leaves that are read at once: 1 MiB. The next piece is read while the caller has this one. */
const PIECE_LEAVES = 4;

/** Leaves of a fetch that are read at once: buffers of one size let go of their memory best. */
const FOLLOWED_LEAVES = 1;

/** A fetch that is followed, until `leave` is called. */
export interface Followed {
  fetch: Fetch;
  leave(): Promise<void>;
}

export interface StreamParts {
  cid: string;
  size: number;
  /** Where the bytes come from first. */
  local: OpenObject | undefined;
  followed: Followed | undefined;
  /** Puts a damaged object aside. */
  quarantine(): Promise<void>;
  /** Joins or starts the fetch of the object. */
  follow(): Followed;
  call: LongCall;
}

/** An object's bytes, from the NAS while that goes well and from other sites from there on. */
export class ObjectStream implements StoredObject {
  readonly cid: string;
  readonly size: number;
  readonly #parts: StreamParts;
  #local: OpenObject | undefined;
  #followed: Followed | undefined;
  #networkCalls = 0;
  #origin: ObjectOrigin | undefined;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.cid = parts.cid;
    this.size = parts.size;
    this.#local = parts.local;
    this.#followed = parts.followed;
  }

  get source(): ObjectOrigin {
    return this.#followed?.fetch.origin ?? this.#origin ?? 'nas';
  }

  get networkCalls(): number {
    return this.#followed?.fetch.counter.calls ?? this.#networkCalls;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const { signal, onProgress } = this.#parts.call;
    const leaves = leafCount(this.size);
    let ahead: Promise<Uint8Array> | undefined;
    try {
      for (let leaf = 0; leaf < leaves; ) {
        throwIfAborted(signal, `the get of ${this.cid}`);
        const piece = await (ahead ?? this.#read(leaf));
        ahead = undefined;
        leaf += Math.ceil(piece.length / CHUNK_BYTES) || 1;
        if (leaf < leaves) {
          ahead = this.#read(leaf);
          ahead.catch(() => {});
        }
        const done = Math.min(this.size, leaf * CHUNK_BYTES);
        onProgress?.({ phase: 'reading', done, total: this.size, unit: 'bytes' });
        bytesPassed(piece.length);
        if (piece.length > 0) yield piece;
      }
      // What came from elsewhere is kept by now, or it is known why not.
      await this.#followed?.fetch.finished.catch(() => {});
    } finally {
      await ahead?.catch(() => {});
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.#networkCalls = this.networkCalls;
    this.#origin = this.source;
    const [local, followed] = [this.#local, this.#followed];
    this.#local = undefined;
    this.#followed = undefined;
    // Nobody has to wait for the closing of a file that was only read.
    void local?.close();
    await followed?.leave();
  }

  async #read(leaf: number): Promise<Uint8Array> {
    if (this.#local) {
      try {
        return await this.#local.read(leaf, PIECE_LEAVES);
      } catch (error) {
        await this.#leaveLocal(error);
      }
    }
    return this.#followed!.fetch.read(leaf, FOLLOWED_LEAVES, this.#parts.call.signal);
  }

  /** The local copy is damaged or its disk is in trouble: another site may have it. */
  async #leaveLocal(trouble: unknown): Promise<void> {
    const local = this.#local!;
    this.#local = undefined;
    await local.close();
    if (trouble instanceof ObjectCorruptError) await this.#parts.quarantine();
    this.#followed = this.#parts.follow();
    try {
      await this.#followed.fetch.sized(this.#parts.call.signal);
    } catch (error) {
      throwIfAborted(this.#parts.call.signal, `the get of ${this.cid}`);
      // Nobody else has it: what is wrong here is what the caller has to know.
      throw (error as { code?: string }).code === 'ERR_STORE_OBJECT_NOT_FOUND' ? trouble : error;
    }
  }
}
