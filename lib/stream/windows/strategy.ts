import type { Columns } from '../columns';
import type { ListReader, ListWriter } from '../events';
import type { ChangeLog } from '../key-table';
import type { Fill, Limits, Pane, WindowSpec } from '../stream';

/** What a strategy is built from. */
export interface StrategyContext {
  readonly spec: WindowSpec;
  readonly columns: Columns;
  readonly limits: Limits;
}

/** What became of an event. */
export type Verdict = 'added' | 'late' | 'limit';

/**
 * How one type of window slices a stream. The engine tells it events and how far time has come, then takes
 * panes until there are none; only then may the next event come.
 */
export interface WindowStrategy {
  readonly fill: Fill;
  /** @param clock when it arrived, for the expiry of idle keys */
  add(key: string, value: unknown, time: number, order: number, clock: number): Verdict;
  /** No event before `watermark` is expected any more. It never falls. */
  advance(watermark: number): void;
  /** Windows with new events owe an early pane. */
  fireEarly(): void;
  /** The earliest watermark at which a window fires. */
  readonly nextDue: number;
  /** Whether some windows would fire an early pane. */
  readonly owesEarly: boolean;
  /** The next pane, ordered by end, start, key. */
  next(): Pane | undefined;
  /** Fires all windows of a key, or of all keys, now, and forgets them. */
  flush(key?: string): void;
  /** Forgets a key, or all of them, without a pane. */
  reset(key?: string): void;
  /** Forgets keys without an event since `before` on the clock, unless they have windows to fire. */
  expire(before: number): void;
  keys(): IterableIterator<string>;
  /** A key's state as a JSON value, with what `write` gives for its lists; undefined when it is not known. */
  save(key: string, write: ListWriter): unknown;
  load(key: string, record: unknown, read: ListReader): void;
  watch(log: ChangeLog): void;
}
