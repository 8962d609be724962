import { GaruaError } from '../../base';

/** What has to be handed to another thread so that it can open the same ring. */
export interface RingHandle {
  control: SharedArrayBuffer;
  data: SharedArrayBuffer;
}

/** The other end of a ring gave up. Never the root cause of a failure: that is where the ring was failed. */
export class RingBrokenError extends GaruaError {
  constructor() {
    super(
      'ERR_IMAGE_PIPELINE_BROKEN',
      'another stage of the layer pipeline failed',
      'See the error of that stage.',
    );
  }
}

// Slots of the control array. The bells are counters that change whenever a waiter has to look again;
// waiting on them, not on the positions, is what makes `end` and `fail` impossible to miss.
const STATE = 0;
const DATA_BELL = 1;
const SPACE_BELL = 2;
const WRITTEN = 3;
const FIRST_READER = 4;

const OPEN = 0;
const ENDED = 1;
const FAILED = 2;

/**
 * A byte queue in shared memory with one writer and one or more readers, each of which sees every byte.
 * Positions count bytes modulo 2^32, so the capacity is a power of two.
 */
export class Ring {
  readonly capacity: number;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #data: Uint8Array;
  readonly #readers: number;

  /** @param capacity Bytes, a power of two. */
  static create(capacity: number, readers = 1): Ring {
    return new Ring({
      control: new SharedArrayBuffer(4 * (FIRST_READER + readers)),
      data: new SharedArrayBuffer(capacity),
    });
  }

  constructor(readonly handle: RingHandle) {
    this.#control = new Int32Array(handle.control);
    this.#data = Buffer.from(handle.data);
    this.capacity = handle.data.byteLength;
    this.#readers = this.#control.length - FIRST_READER;
  }

  /** Bytes that can be written without waiting for the slowest reader. */
  get free(): number {
    const written = Atomics.load(this.#control, WRITTEN);
    let used = 0;
    for (let reader = 0; reader < this.#readers; reader++) {
      used = Math.max(used, (written - Atomics.load(this.#control, FIRST_READER + reader)) >>> 0);
    }
    return this.capacity - used;
  }

  /** Blocks this thread until all bytes are in the ring. @throws {RingBrokenError} */
  write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; ) {
      const bell = Atomics.load(this.#control, SPACE_BELL);
      this.#throwIfFailed();
      const count = this.#put(bytes, offset);
      offset += count;
      if (count === 0) Atomics.wait(this.#control, SPACE_BELL, bell);
    }
  }

  /** Like `write` for the main thread, which must not block. @throws {RingBrokenError} */
  async writeAsync(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length; ) {
      const bell = Atomics.load(this.#control, SPACE_BELL);
      this.#throwIfFailed();
      // Waking the main thread costs more than waking a worker, so it waits for room worth the trip.
      const wanted = Math.min(bytes.length - offset, this.capacity >> 2);
      if (this.free < wanted) await Atomics.waitAsync(this.#control, SPACE_BELL, bell).value;
      else offset += this.#put(bytes, offset);
    }
  }

  /** No more bytes will come; readers get what is in the ring, then `undefined`. */
  end(): void {
    Atomics.compareExchange(this.#control, STATE, OPEN, ENDED);
    this.#ring(DATA_BELL);
  }

  /** Either side gives up: every waiting or later call at the other ends throws. */
  fail(): void {
    Atomics.store(this.#control, STATE, FAILED);
    this.#ring(DATA_BELL);
    this.#ring(SPACE_BELL);
  }

  /**
   * Blocks until there are bytes, and answers a view of at most `limit` of them inside the ring, valid
   * until `release`. `undefined` at the end.
   *
   * @throws {RingBrokenError}
   */
  read(reader: number, limit: number): Uint8Array | undefined {
    for (;;) {
      const bell = Atomics.load(this.#control, DATA_BELL);
      const state = Atomics.load(this.#control, STATE);
      if (state === FAILED) throw new RingBrokenError();
      const chunk = this.#available(reader, limit);
      if (chunk) return chunk;
      if (state === ENDED) return undefined;
      Atomics.wait(this.#control, DATA_BELL, bell);
    }
  }

  /** What this reader has not released yet, also after a failure; ends where the ring is empty. */
  *remains(reader: number): Iterable<Uint8Array> {
    for (;;) {
      const chunk = this.#available(reader, this.capacity);
      if (!chunk) return;
      yield chunk;
      this.release(reader, chunk.length);
    }
  }

  /** Gives `count` bytes that `read` answered back to the writer. */
  release(reader: number, count: number): void {
    Atomics.add(this.#control, FIRST_READER + reader, count);
    this.#ring(SPACE_BELL);
  }

  /** Makes the ring as new. Only while no other thread uses it. */
  reset(): void {
    this.#control.fill(0);
  }

  #available(reader: number, limit: number): Uint8Array | undefined {
    const position = Atomics.load(this.#control, FIRST_READER + reader);
    const available = (Atomics.load(this.#control, WRITTEN) - position) >>> 0;
    if (available === 0) return undefined;
    const start = (position >>> 0) % this.capacity;
    return this.#data.subarray(start, start + Math.min(available, limit, this.capacity - start));
  }

  #put(bytes: Uint8Array, offset: number): number {
    const written = Atomics.load(this.#control, WRITTEN) >>> 0;
    const start = written % this.capacity;
    const count = Math.min(bytes.length - offset, this.free);
    if (count === 0) return 0;
    const first = Math.min(count, this.capacity - start);
    this.#data.set(bytes.subarray(offset, offset + first), start);
    if (count > first) this.#data.set(bytes.subarray(offset + first, offset + count), 0);
    Atomics.add(this.#control, WRITTEN, count);
    this.#ring(DATA_BELL);
    return count;
  }

  #ring(bell: number): void {
    Atomics.add(this.#control, bell, 1);
    Atomics.notify(this.#control, bell);
  }

  #throwIfFailed(): void {
    if (Atomics.load(this.#control, STATE) === FAILED) throw new RingBrokenError();
  }
}
