import { EventQueue } from '../events';
import { type Aggregate, byTime, type Item } from './aggregate';

/** Values by event time, then by arrival. Events mostly come in that order, so the sort is one pass. */
export function inTimeOrder(items: readonly Item[]): unknown[] {
  const sorted = items.every((item, at) => at === 0 || byTime(items[at - 1]!, item) < 0);
  return (sorted ? items : [...items].sort(byTime)).map((item) => item.value);
}

/** Every value; a missing field is null. */
export const collect: Aggregate<EventQueue> = {
  empty: () => new EventQueue(),
  lift: (value, time, order) => {
    const one = new EventQueue();
    one.push(time, order, value ?? null);
    return one;
  },
  combine: (older, newer) => {
    const both = new EventQueue();
    for (const queue of [older, newer]) queue.visit((time, order, value) => both.push(time, order, value));
    return both;
  },
  add: (state, value, time, order) => {
    state.push(time, order, value ?? null);
    return state;
  },
  lower: (state) => inTimeOrder(state.items()),
  lowerItems: inTimeOrder,
  save: (state, write) => write(state),
  load: (saved, read) => {
    const queue = new EventQueue();
    queue.load(read(saved));
    return queue;
  },
};
