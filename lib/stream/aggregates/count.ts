import type { Aggregate, Counters } from './aggregate';

const counters: Counters<{ n: number }> = {
  empty: () => ({ n: 0 }),
  add: (state) => {
    state.n += 1;
  },
  remove: (state) => {
    state.n -= 1;
  },
  lower: (state) => state.n,
};

/** Events, whatever their field holds. */
export const count: Aggregate<number> = {
  empty: () => 0,
  lift: () => 1,
  combine: (older, newer) => older + newer,
  add: (state) => state + 1,
  lower: (state) => state,
  counters: counters as Counters<unknown>,
};
