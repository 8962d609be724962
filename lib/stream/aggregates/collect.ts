import { type Aggregate, byTime, type Item } from './aggregate';

/** Values by event time, then by arrival. Events mostly come in that order, so the sort is one pass. */
export function inTimeOrder(items: readonly Item[]): unknown[] {
  const sorted = items.every((item, at) => at === 0 || byTime(items[at - 1]!, item) < 0);
  return (sorted ? items : [...items].sort(byTime)).map((item) => item.value);
}

/** Every value; a missing field is null. */
export const collect: Aggregate<Item[]> = {
  empty: () => [],
  lift: (value, time, order) => [{ time, order, value: value ?? null }],
  combine: (older, newer) => [...older, ...newer],
  add: (state, value, time, order) => {
    state.push({ time, order, value: value ?? null });
    return state;
  },
  lower: inTimeOrder,
  lowerItems: inTimeOrder,
};
