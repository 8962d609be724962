import { Columns, settle } from './columns';
import { StreamStateError } from './errors';
import { inlineReader, inlineWriter, type ListReader, type ListWriter } from './events';
import type { ChangeLog } from './key-table';
import { fingerprint } from './spec';
import type {
  EngineMeta,
  EngineState,
  Fill,
  LateEvent,
  Limits,
  Output,
  Pane,
  StreamEvent,
  WindowSpec,
} from './stream';
import { Watermark } from './watermark';
import { makeStrategy, type WindowStrategy } from './windows';

/** Where there are limits: each flush of durable state writes all sources, 6 ms of work at this number. */
const MOST_SOURCES = 10_000;

/**
 * Windows over a stream. Deterministic: it reads no clock and no randomness, so the same inputs give the
 * same outputs.
 *
 * After each input, call `next` until it gives undefined; only then may the next input come. Firing is
 * pulled, so that a caller can pause between panes when a hundred thousand windows close at once.
 */
export class WindowEngine {
  readonly spec: WindowSpec;
  readonly #columns: Columns;
  readonly #strategy: WindowStrategy;
  readonly #watermark: Watermark;
  readonly #eventTime: boolean;
  readonly #limits: Limits;
  readonly #mostSources: number;
  readonly #wallClock: boolean;
  #late: LateEvent | undefined;
  #clock = 0;
  #order = 0;
  #sweptAt = 0;

  /**
   * @param wallClock whether the clock that it will be told shares its origin with event times. Then an event
   * is never set aside for lying ahead of its source while it lies within `maxAhead` of the clock: a sensor
   * that was silent for a night is not taken for one whose clock is wrong.
   */
  constructor(spec: WindowSpec, limits: Limits = {}, { wallClock = false } = {}) {
    this.spec = spec;
    this.#wallClock = wallClock;
    this.#limits = limits;
    this.#mostSources =
      limits.keys === undefined ? Number.POSITIVE_INFINITY : Math.min(limits.keys, MOST_SOURCES);
    this.#columns = new Columns(spec.aggregates);
    this.#strategy = makeStrategy({ spec, columns: this.#columns, limits });
    this.#watermark = new Watermark(spec);
    this.#eventTime = spec.time === 'event';
    if (!this.#eventTime) this.#strategy.advance(this.#clock);
  }

  get fill(): Fill {
    return this.#strategy.fill;
  }

  /** In processing time, the clock. */
  get watermark(): number {
    return this.#eventTime ? this.#watermark.value : this.#clock;
  }

  /** The latest clock reading; 0 before any. */
  get clock(): number {
    return this.#clock;
  }

  /** Whether panes hold answers that `settle` has to wait for. */
  get needsSettling(): boolean {
    return this.#columns.pending;
  }

  /** An event. In event time it must have a time, a finite number of at most 8.64e15. */
  add(event: StreamEvent): void {
    const { key = '', source = '', value } = event;
    const time = this.#eventTime ? event.time! : this.#clock;
    if (this.#eventTime && this.#watermark.isTooFarAhead(source, time) && !this.#isPlausible(time)) {
      this.#late = { late: event, reason: 'future' };
      return;
    }
    if (this.#eventTime && this.#watermark.isOneTooMany(source, this.#mostSources)) {
      this.#late = { late: event, reason: 'limit' };
      return;
    }
    const verdict = this.#strategy.add(key, value, time, this.#order, this.#clock);
    this.#order += 1;
    if (verdict !== 'added') this.#late = { late: event, reason: verdict };
    if (this.#eventTime) {
      this.#watermark.observe(source, time, this.#clock);
      this.#strategy.advance(this.#watermark.value);
    }
  }

  /** No event before `value` is expected any more. In processing time it means nothing. */
  advanceWatermark(value: number): void {
    if (!this.#eventTime) return;
    this.#watermark.raise(value);
    this.#strategy.advance(this.#watermark.value);
  }

  /** Moves the clock. It never goes back; one jump does what many small steps would have done. */
  advanceClock(reading: number): void {
    const target = Math.max(this.#clock, reading);
    const { every } = this.spec.early;
    if (every !== undefined) {
      // At a later multiple there are no new events any more.
      const tick = (Math.floor(this.#clock / every) + 1) * every;
      if (tick <= target) {
        this.#moveClock(tick);
        this.#strategy.fireEarly();
      }
    }
    this.#moveClock(target);
    this.#expire();
  }

  /** The clock reading at which something may happen without an event. */
  get wakeAt(): number {
    const { early } = this.spec;
    const { keyIdle } = this.#limits;
    let at = this.#eventTime ? this.#watermark.nextIdle : this.#strategy.nextDue;
    if (early.every !== undefined && this.#strategy.owesEarly) {
      at = Math.min(at, (Math.floor(this.#clock / early.every) + 1) * early.every);
    }
    if (keyIdle !== undefined) at = Math.min(at, this.#sweptAt + keyIdle / 2);
    return at;
  }

  /** The end of input: everything still open fires. */
  end(): void {
    this.#watermark.raise(Number.POSITIVE_INFINITY);
    this.#strategy.advance(Number.POSITIVE_INFINITY);
  }

  /** Fires all open windows of a key, or of all keys, now, and forgets them. */
  flush(key?: string): void {
    this.#strategy.flush(key);
  }

  /** Forgets a key, or all keys, without a pane. The watermark stays. */
  reset(key?: string): void {
    this.#strategy.reset(key);
  }

  /** The next output of the last input; undefined when there is none left. */
  next(): Output | undefined {
    if (this.#late) {
      const late = this.#late;
      this.#late = undefined;
      return late;
    }
    return this.#strategy.next();
  }

  /** The whole state. Only when `next` has given undefined. */
  snapshot(): EngineState {
    const keys: EngineState['keys'] = [];
    for (const key of this.#strategy.keys()) keys.push([key, this.saveKey(key)]);
    // States are shared with the engine until they are text.
    return JSON.parse(JSON.stringify({ version: 1, spec: fingerprint(this.spec), meta: this.meta(), keys }));
  }

  /**
   * Takes over a state; only right after construction.
   *
   * @throws {StreamStateError} when it belongs to another specification
   */
  restore(state: EngineState): void {
    if (state.version !== 1) throw new StreamStateError(`the state has the unknown version ${state.version}`);
    if (state.spec !== fingerprint(this.spec)) {
      throw new StreamStateError('the state was saved with other settings');
    }
    this.restoreMeta(state.meta);
    for (const [key, record] of state.keys) this.loadKey(key, record);
  }

  /** What is not bound to a key; for stores that save keys one by one. */
  meta(): EngineMeta {
    return { clock: this.#clock, order: this.#order, watermark: this.#watermark.snapshot() };
  }

  restoreMeta({ clock, order, watermark }: EngineMeta): void {
    this.#clock = clock;
    this.#sweptAt = clock;
    this.#order = order;
    this.#watermark.restore(watermark);
    this.#strategy.advance(this.#eventTime ? this.#watermark.value : clock);
  }

  keys(): IterableIterator<string> {
    return this.#strategy.keys();
  }

  /** Adds the clock and the watermark of another engine, whose keys have been loaded: the later ones count. */
  mergeMeta({ clock, order, watermark }: EngineMeta): void {
    this.#clock = Math.max(this.#clock, clock);
    this.#order = Math.max(this.#order, order);
    this.#watermark.merge(watermark);
    this.#strategy.advance(this.watermark);
  }

  /**
   * A key's state as a JSON value that shares parts with the engine; undefined when it is not known. What
   * `write` gives stands for its lists of events.
   */
  saveKey(key: string, write: ListWriter = inlineWriter): unknown {
    return this.#strategy.save(key, write);
  }

  loadKey(key: string, record: unknown, read: ListReader = inlineReader): void {
    this.#strategy.load(key, record, read);
  }

  /** Has changes of keys noted. */
  watch(log: ChangeLog): void {
    this.#strategy.watch(log);
  }

  #isPlausible(time: number): boolean {
    return this.#wallClock && time <= this.#clock + this.spec.maxAhead!;
  }

  #moveClock(reading: number): void {
    this.#clock = reading;
    if (this.#eventTime) {
      this.#watermark.advanceClock(reading);
      this.#strategy.advance(this.#watermark.value);
    } else {
      this.#strategy.advance(reading);
    }
  }

  #expire(): void {
    const { keyIdle } = this.#limits;
    if (keyIdle === undefined || this.#clock < this.#sweptAt + keyIdle / 2) return;
    this.#sweptAt = this.#clock;
    this.#strategy.expire(this.#clock - keyIdle);
    this.#watermark.forget(this.#clock - keyIdle);
  }
}

/** All panes and late events of one input, for callers with few keys. */
export async function outputsOf(engine: WindowEngine): Promise<Output[]> {
  const outputs: Output[] = [];
  for (let output = engine.next(); output; output = engine.next()) {
    outputs.push(engine.needsSettling && !('late' in output) ? await settle(output as Pane) : output);
  }
  return outputs;
}
