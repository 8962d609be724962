import type { ListReader, ListWriter } from '../events';

/**
 * One aggregate of a pane. `S` is the state of a set of events; a state must be a JSON value, or `save` and
 * `load` must turn it into one.
 */
export interface Aggregate<S = unknown> {
  /** The state of no event. */
  empty(): S;
  /** The state of one event. `order` is its place among all arrivals. */
  lift(value: unknown, time: number, order: number): S;
  /** The state of both sets of events; associative, and changes neither. `older` arrived first or lies earlier. */
  combine(older: S, newer: S): S;
  /** `combine(state, lift(event))`, but may change `state` instead of copying it. */
  add(state: S, value: unknown, time: number, order: number): S;
  /** The answer. */
  lower(state: S): unknown;
  /** Numeric states can lie side by side in one array, where the garbage collector has nothing to do. */
  readonly packed?: Packing<S>;
  /** A state as a JSON value; a list of events in it becomes what `write` gives for it. */
  save?(state: S, write: ListWriter): unknown;
  load?(saved: unknown, read: ListReader): S;
  /**
   * For windows that slide event by event: a state of integer counters, from which an event may be taken
   * away again. Floats are never subtracted, so sums have none.
   */
  readonly counters?: Counters<unknown>;
  /** The answer needs every single event, so a window that has them anyway gives them to `lowerItems`. */
  readonly lowerItems?: (items: readonly Item[]) => unknown;
  /** The answer depends on the earlier panes of the key. */
  readonly judge?: Judge;
}

/** How a state of `width` numbers is written to and read from an array of doubles. */
export interface Packing<S> {
  readonly width: number;
  write(state: S, into: Float64Array, at: number): void;
  read(from: Float64Array, at: number): S;
}

export interface Counters<C> {
  empty(): C;
  add(state: C, value: unknown): void;
  remove(state: C, value: unknown): void;
  lower(state: C): unknown;
}

/**
 * Compares a pane's answer with the history of its key.
 *
 * @returns the final answer and the history that the next pane gets
 */
export type Judge = (
  answer: unknown,
  history: unknown,
  learn: boolean,
) => { answer: unknown; history: unknown };

/** An event that is kept as it is; `value` is the aggregate's field of it. */
export interface Item {
  readonly time: number;
  readonly order: number;
  readonly value: unknown;
}

/** By event time, then by arrival. */
export function byTime(a: Item, b: Item): number {
  return a.time - b.time || a.order - b.order;
}

/** Numeric aggregates skip everything else. */
export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
