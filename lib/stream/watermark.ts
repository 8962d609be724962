import { Heap } from './heap';
import type { WatermarkState } from './stream';

interface Source {
  name: string;
  maximum: number;
  /** Clock at its last event. */
  seenAt: number;
  idle: boolean;
  /** The maximum under which the heap ranks it: never above the true one. */
  rank: number;
  ranked: boolean;
}

/**
 * The watermark operator: no event before `value` is expected any more. Each source's watermark is its
 * largest event time minus the bound on disorder, and the whole one is the smallest over the sources that
 * are not idle. It never falls.
 *
 * Maxima only grow, so the heap ranks sources lazily: O(log n) per event at worst.
 */
export class Watermark {
  #value = Number.NEGATIVE_INFINITY;
  readonly #outOfOrderness: number | undefined;
  readonly #idleTimeout: number | undefined;
  readonly #maxAhead: number | undefined;
  readonly #sources = new Map<string, Source>();
  /** Those that are not idle, least recently seen first; kept when there is an idle time-out. */
  readonly #awake = new Map<string, Source>();
  readonly #active = new Heap<Source>((a, b) => a.rank < b.rank);

  constructor(options: {
    outOfOrderness: number | undefined;
    idleTimeout: number | undefined;
    maxAhead: number | undefined;
  }) {
    this.#outOfOrderness = options.outOfOrderness;
    this.#idleTimeout = options.idleTimeout;
    this.#maxAhead = options.maxAhead;
  }

  get value(): number {
    return this.#value;
  }

  /** Whether an event lies so far ahead of its source's others that its clock cannot be trusted. */
  isTooFarAhead(source: string, time: number): boolean {
    if (this.#maxAhead === undefined) return false;
    const known = this.#sources.get(source);
    return known !== undefined && time > known.maximum + this.#maxAhead;
  }

  /** Whether a source would be one more than so many. */
  isOneTooMany(source: string, limit: number): boolean {
    return this.#sources.size >= limit && !this.#sources.has(source);
  }

  /** An event of a source at a clock reading. */
  observe(name: string, time: number, clock: number): void {
    if (this.#outOfOrderness === undefined && this.#maxAhead === undefined) return;
    let source = this.#sources.get(name);
    if (!source) {
      source = { name, maximum: time, seenAt: clock, idle: false, rank: time, ranked: false };
      this.#sources.set(name, source);
    } else {
      if (time > source.maximum) source.maximum = time;
      if (source.seenAt !== clock) {
        source.seenAt = clock;
        this.#awake.delete(name);
      }
      source.idle = false;
    }
    if (this.#idleTimeout !== undefined) this.#awake.set(name, source);
    if (this.#outOfOrderness === undefined) return;
    if (!source.ranked) this.#rank(source);
    this.#rise();
  }

  /** A source told the watermark itself. */
  raise(value: number): void {
    if (value > this.#value) this.#value = value;
  }

  /**
   * Sources that were silent for the idle time-out hold the others up no longer. They are taken in the
   * order in which their time ran out, so that one jump of the clock does what many small steps do. When
   * the last one falls silent the watermark stays: nobody knows better.
   */
  advanceClock(clock: number): void {
    if (this.#idleTimeout === undefined) return;
    let passed: number | undefined;
    for (const source of this.#awake.values()) {
      const deadline = source.seenAt + this.#idleTimeout;
      if (deadline > clock) break;
      this.#awake.delete(source.name);
      if (passed !== undefined && deadline > passed) this.#rise();
      passed = deadline;
      source.idle = true;
    }
    if (passed !== undefined) this.#rise();
  }

  /**
   * Forgets sources without an event since a clock reading, so that topics that come and go do not fill the
   * memory. One that holds the watermark up is kept: only its next event, or the idle time-out, frees it.
   */
  forget(before: number): void {
    for (const source of this.#sources.values()) {
      if (source.seenAt > before || !(source.idle || this.#outOfOrderness === undefined)) continue;
      this.#sources.delete(source.name);
      this.#awake.delete(source.name);
    }
  }

  /** The clock reading at which the next source is idle. */
  get nextIdle(): number {
    for (const { seenAt } of this.#awake.values()) return seenAt + this.#idleTimeout!;
    return Number.POSITIVE_INFINITY;
  }

  snapshot(): WatermarkState {
    return {
      value: Number.isFinite(this.#value) ? this.#value : null,
      // Those that are awake must come in this order; the name makes equal states equal texts.
      sources: [...this.#sources.values()]
        .sort((a, b) => a.seenAt - b.seenAt || (a.name < b.name ? -1 : 1))
        .map((s) => [s.name, s.maximum, s.seenAt, s.idle]),
    };
  }

  restore(state: WatermarkState): void {
    this.#value = state.value ?? Number.NEGATIVE_INFINITY;
    for (const [name, maximum, seenAt, idle] of state.sources) {
      const source = { name, maximum, seenAt, idle, rank: maximum, ranked: false };
      this.#sources.set(name, source);
      if (!idle && this.#idleTimeout !== undefined) this.#awake.set(name, source);
      if (!idle && this.#outOfOrderness !== undefined) this.#rank(source);
    }
  }

  /** Adds another one's sources; the later time of each, and the later watermark, count. */
  merge({ value, sources }: WatermarkState): void {
    const own = this.snapshot();
    const all = new Map(own.sources.map((source) => [source[0], source]));
    for (const source of sources) {
      const known = all.get(source[0]);
      const [name, maximum, seenAt, idle] = source;
      all.set(
        name,
        known ? [name, Math.max(maximum, known[1]), Math.max(seenAt, known[2]), idle && known[3]] : source,
      );
    }
    this.#sources.clear();
    this.#awake.clear();
    while (this.#active.peek()) this.#active.pop();
    const latest = Math.max(own.value ?? Number.NEGATIVE_INFINITY, value ?? Number.NEGATIVE_INFINITY);
    const ordered = [...all.values()].sort((a, b) => a[2] - b[2]);
    this.restore({ value: Number.isFinite(latest) ? latest : null, sources: ordered });
  }

  #rank(source: Source): void {
    source.rank = source.maximum;
    source.ranked = true;
    this.#active.push(source);
  }

  #rise(): void {
    if (this.#outOfOrderness === undefined) return;
    for (let top = this.#active.peek(); top; top = this.#active.peek()) {
      if (top.idle) {
        top.ranked = false;
        this.#active.pop();
      } else if (top.rank < top.maximum) {
        top.rank = top.maximum;
        this.#active.sinkTop();
      } else {
        this.raise(top.maximum - this.#outOfOrderness);
        return;
      }
    }
  }
}
