/**
 * Lists of single events can be long, so they are not written down with the rest of their key's state each
 * time: a file keeps them in pieces, gets what is new and forgets what is old. A snapshot has them inline.
 */
export interface EventList {
  /** Names it in the file that keeps it; undefined while none does. */
  id: number | undefined;
  /** Whether `floor` is a time; else it is an index. */
  readonly byTime: boolean;
  /** All events. */
  save(): SavedEvent[];
  /** What came since the last call (`whole`: all), and what of the old still counts. */
  changes(whole: boolean): ListChanges;
}

export interface ListChanges {
  /** Events under this index, or time, are in the list no longer. */
  floor: number;
  spans: Span[];
}

export type SavedEvent = [time: number, order: number, value: unknown];

/** Some events that follow each other. They do not change any more, so they can be written a little later. */
export interface Span {
  /** Index of the first in its list, counted from the list's beginning. */
  first: number;
  /** What is to be under the floor before all of it can be forgotten. */
  last: number;
  /** Time and order of each, in turn, from `from` to `to`. */
  stamps: Float64Array;
  values: readonly unknown[];
  from: number;
  to: number;
}

/** A list that was read back. */
export interface ReadList {
  id: number | undefined;
  floor: number;
  spans: readonly Span[];
}

/** Writes a list down; what it gives stands for the list in the state of the key, as a JSON value. */
export type ListWriter = (list: EventList) => unknown;

/** Finds the list that such a value stands for. */
export type ListReader = (saved: unknown) => ReadList;

export const inlineWriter: ListWriter = (list) => list.save();

export const inlineReader: ListReader = (saved) => {
  const events = saved as SavedEvent[];
  const stamps = new Float64Array(2 * events.length);
  events.forEach(([time, order], at) => {
    stamps[2 * at] = time;
    stamps[2 * at + 1] = order;
  });
  const values = events.map(([, , value]) => value);
  const span = { first: 0, last: events.length - 1, stamps, values, from: 0, to: events.length };
  return { id: undefined, floor: Number.NEGATIVE_INFINITY, spans: [span] };
};
