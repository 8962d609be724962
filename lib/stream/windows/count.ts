import type { Columns } from '../columns';
import type { ListReader, ListWriter } from '../events';
import { type ChangeLog, type KeyState, KeyTable } from '../key-table';
import { SlidingFold } from '../sliding-fold';
import type { Fill, Limits, Pane } from '../stream';
import type { StrategyContext, Verdict, WindowStrategy } from './strategy';

interface CountKey extends KeyState {
  fold: SlidingFold;
  /** Events since the last pane. */
  arrived: number;
  panes: number;
}

/** Every `step` events of a key a pane over its last `count` events, as they arrived; time plays no part. */
export function count(context: StrategyContext): WindowStrategy {
  return new CountWindows(context);
}

class CountWindows implements WindowStrategy {
  readonly #count: number;
  readonly #step: number;
  readonly #columns: Columns;
  readonly #limits: Limits;
  readonly #table = new KeyTable<CountKey>();
  /** The pane of the last event. */
  #pane: Pane | undefined;
  /** Panes of a flush, and how many of them are gone. */
  #flushed: Pane[] = [];
  #taken = 0;
  #items = 0;

  constructor({ spec, columns, limits }: StrategyContext) {
    this.#count = spec.count;
    this.#step = spec.step;
    this.#columns = columns;
    this.#limits = limits;
  }

  get fill(): Fill {
    return { keys: this.#table.size, windows: this.#table.size, items: this.#items };
  }

  add(key: string, value: unknown, time: number, order: number, clock: number): Verdict {
    const { keys = Number.POSITIVE_INFINITY, items = Number.POSITIVE_INFINITY } = this.#limits;
    let state = this.#table.get(key);
    const full = state !== undefined && state.fold.length === this.#count;
    if (!full && this.#items >= items) return 'limit';
    if (state) {
      this.#table.change(state);
      state.touchedAt = clock;
    } else {
      if (this.#table.size >= keys) return 'limit';
      state = this.#newKey(key, clock);
      this.#table.add(state);
    }
    if (full) state.fold.evict();
    else this.#items += 1;
    state.fold.push(time, order, value);
    state.arrived += 1;
    if (state.arrived === this.#step) this.#pane = this.#fire(state);
    return 'added';
  }

  advance(): void {}

  fireEarly(): void {}

  readonly nextDue = Number.POSITIVE_INFINITY;

  readonly owesEarly = false;

  next(): Pane | undefined {
    const pane = this.#pane;
    if (pane) {
      this.#pane = undefined;
      return pane;
    }
    if (this.#taken < this.#flushed.length) {
      this.#taken += 1;
      return this.#flushed[this.#taken - 1];
    }
    this.#flushed = this.#taken > 0 ? [] : this.#flushed;
    this.#taken = 0;
    return undefined;
  }

  flush(key?: string): void {
    const states = [...this.#table.values()].filter((state) => key === undefined || state.key === key);
    const open = states.filter(({ arrived }) => arrived > 0);
    const panes = open.map((state) => this.#fire(state));
    panes.sort((a, b) => a.end - b.end || a.start - b.start || (a.key < b.key ? -1 : 1));
    this.#flushed = panes;
    for (const state of states) this.#forget(state);
  }

  reset(key?: string): void {
    for (const state of [...this.#table.values()]) {
      if (key === undefined || state.key === key) this.#forget(state);
    }
  }

  expire(before: number): void {
    for (const state of this.#table.values()) if (state.touchedAt <= before) this.#forget(state);
  }

  keys(): IterableIterator<string> {
    return this.#table.names();
  }

  watch(log: ChangeLog): void {
    this.#table.watch(log);
  }

  save(key: string, write: ListWriter): unknown {
    const state = this.#table.get(key);
    if (!state) return undefined;
    return [state.touchedAt, state.histories ?? null, state.arrived, state.panes, state.fold.save(write)];
  }

  load(key: string, record: unknown, read: ListReader): void {
    const [touchedAt, histories, arrived, panes, fold] = record as [
      number,
      unknown[] | null,
      number,
      number,
      unknown,
    ];
    const state = this.#newKey(key, touchedAt);
    Object.assign(state, { histories: histories ?? undefined, arrived, panes });
    state.fold.load(fold, read);
    this.#items += state.fold.length;
    this.#table.add(state);
  }

  #newKey(key: string, clock: number): CountKey {
    const fold = new SlidingFold(this.#columns);
    return { key, touchedAt: clock, histories: undefined, epoch: -1, fold, arrived: 0, panes: 0 };
  }

  #fire(state: CountKey): Pane {
    const { fold } = state;
    const answers = fold.lower();
    state.histories = this.#columns.judge(answers, state.histories, true);
    const pane: Pane = {
      key: state.key,
      start: fold.oldestTime,
      end: fold.newestTime,
      pane: 'on-time',
      index: state.panes,
      count: fold.length,
      result: this.#columns.result(answers),
    };
    state.panes += 1;
    state.arrived = 0;
    // No event of this pane is in the next one.
    if (this.#step >= this.#count) {
      this.#items -= fold.length;
      fold.clear();
    }
    return pane;
  }

  #forget(state: CountKey): void {
    this.#items -= state.fold.length;
    this.#table.delete(state);
  }
}
