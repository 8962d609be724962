import { type Aggregate, byTime, type Item } from './aggregate';

type End = Item | null;

/** The first or last event by its time, then by arrival; a missing field is null. */
function end(wins: (candidate: Item, holder: Item) => boolean): Aggregate<End> {
  return {
    empty: () => null,
    lift: (value, time, order) => ({ time, order, value: value ?? null }),
    combine: (older, newer) => (older === null || (newer !== null && wins(newer, older)) ? newer : older),
    add: (state, value, time, order) => {
      const candidate = { time, order, value: value ?? null };
      return state === null || wins(candidate, state) ? candidate : state;
    },
    lower: (state) => (state === null ? null : state.value),
  };
}

export const first: Aggregate<End> = end((candidate, holder) => byTime(candidate, holder) < 0);
export const last: Aggregate<End> = end((candidate, holder) => byTime(candidate, holder) > 0);
