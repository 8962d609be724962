import type { KeyState } from '../key-table';
import type { OpenWindow } from './open-window';
import { PaneWindows } from './pane-windows';
import type { StrategyContext, Verdict } from './strategy';

/** Where the windows lie: `[start, start + size)`, with starts congruent to `offset` modulo `slide`. */
export interface Alignment {
  size: number;
  slide: number;
  offset: number;
}

interface AlignedKey extends KeyState {
  windows: Map<number, OpenWindow>;
  /** The window of the latest event: mostly that of the next one, too. */
  latest: OpenWindow | undefined;
  /** Starts of the earliest and the latest window that got an event, for empty windows. */
  first: number;
  last: number;
}

/** Windows whose bounds do not depend on the events: tumbling and hopping. */
export class AlignedWindows extends PaneWindows<AlignedKey> {
  readonly #size: number;
  readonly #slide: number;
  readonly #offset: number;
  readonly #empty: boolean;

  constructor(context: StrategyContext, { size, slide, offset }: Alignment) {
    super(context);
    this.#size = size;
    this.#slide = slide;
    this.#offset = offset;
    this.#empty = context.spec.emptyWindows;
  }

  add(key: string, value: unknown, time: number, order: number, clock: number): Verdict {
    const last = this.#startAtOrBefore(time);
    if (this.#slide === this.#size) return this.#addToOne(key, value, time, order, clock, last);
    return this.#addToMany(key, value, time, order, clock, last);
  }

  /** The latest window start that is not after a time. */
  #startAtOrBefore(time: number): number {
    return Math.floor((time - this.#offset) / this.#slide) * this.#slide + this.#offset;
  }

  #addToOne(key: string, value: unknown, time: number, order: number, clock: number, start: number): Verdict {
    const end = start + this.#size;
    if (this.isClosed(end)) return 'late';
    const known = this.table.get(key);
    const window = known && this.#find(known, start);
    if (!this.hasRoom(window ? 0 : 1, 1)) return 'limit';
    const state = this.keyFor(key, clock);
    if (!state) return 'limit';
    this.addTo(window ?? this.open(state, start, end), value, time, order);
    if (this.#empty) this.#widen(state, start, start);
    return 'added';
  }

  #addToMany(key: string, value: unknown, time: number, order: number, clock: number, last: number): Verdict {
    const starts: number[] = [];
    for (
      let start = last;
      start > time - this.#size && !this.isClosed(start + this.#size);
      start -= this.#slide
    ) {
      starts.push(start);
    }
    if (starts.length === 0) return 'late';
    const known = this.table.get(key);
    const missing = known ? starts.filter((start) => !known.windows.has(start)).length : starts.length;
    if (!this.hasRoom(missing, starts.length)) return 'limit';
    const state = this.keyFor(key, clock);
    if (!state) return 'limit';
    for (const start of starts.reverse()) {
      const window = state.windows.get(start) ?? this.open(state, start, start + this.#size);
      this.addTo(window, value, time, order);
    }
    if (this.#empty) this.#widen(state, starts[0]!, last);
    return 'added';
  }

  #find(state: AlignedKey, start: number): OpenWindow | undefined {
    const { latest } = state;
    if (latest && latest.start === start && !latest.dead) return latest;
    const window = state.windows.get(start);
    if (window) state.latest = window;
    return window;
  }

  /** Empty windows: from a key's first window on, the next one is always open. */
  #widen(state: AlignedKey, first: number, last: number): void {
    state.first = Math.min(state.first, first);
    state.last = Math.max(state.last, last);
    const unpassed = this.#startAtOrBefore(this.watermark - this.#size) + this.#slide;
    this.#ensure(state, Math.max(state.first, Number.isFinite(unpassed) ? unpassed : state.first));
  }

  #ensure(state: AlignedKey, start: number): void {
    if (state.windows.has(start) || !this.hasRoom(1, 0)) return;
    const window = this.open(state, start, start + this.#size);
    // A window that the watermark passes in this very step fires on time, not late.
    if (window.passed) {
      window.passed = false;
      this.arm(window);
    }
  }

  protected override onPassed(window: OpenWindow): void {
    const state = window.owner as AlignedKey;
    if (!this.#empty) return;
    const next = window.start + this.#slide;
    // At the end of input only the gaps are filled.
    if (Number.isFinite(this.watermark) || next <= state.last) this.#ensure(state, next);
  }

  protected override firesEmpty(window: OpenWindow): boolean {
    if (!this.#empty) return false;
    return Number.isFinite(this.watermark) || window.start <= (window.owner as AlignedKey).last;
  }

  protected newKey(key: string, clock: number): AlignedKey {
    return {
      key,
      touchedAt: clock,
      histories: undefined,
      epoch: -1,
      windows: new Map(),
      latest: undefined,
      first: Number.POSITIVE_INFINITY,
      last: Number.NEGATIVE_INFINITY,
    };
  }

  protected windowsOf(state: AlignedKey): Iterable<OpenWindow> {
    return state.windows.values();
  }

  protected put(state: AlignedKey, window: OpenWindow): void {
    state.windows.set(window.start, window);
    state.latest = window;
  }

  protected remove(state: AlignedKey, window: OpenWindow): void {
    state.windows.delete(window.start);
    if (state.latest === window) state.latest = undefined;
  }

  protected override saveExtra(state: AlignedKey): unknown {
    return this.#empty ? [state.first, state.last] : null;
  }

  protected override loadExtra(state: AlignedKey, extra: unknown): void {
    if (extra) [state.first, state.last] = extra as [number, number];
  }
}
