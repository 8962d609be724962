import type { Aggregate, Counters } from './aggregate';
import { canonicalJson } from './canonical-json';
import { addOccurrence, type Occurrences, removeOccurrence } from './occurrences';

/** Up to this many different values the counts are exact. */
const EXACT_VALUES = 10_000;

/**
 * The `k` most frequent values, `[{value, count}]`, ties in the order of their JSON text.
 *
 * Exact up to 10,000 different values; beyond, a Misra-Gries summary (Agarwal et al., Mergeable Summaries,
 * PODS 2012) keeps the memory bounded: counts are then too low by at most events / 10,000.
 */
export function topk(k: number): Aggregate<Occurrences> {
  const capacity = Math.max(EXACT_VALUES, 10 * k);
  const lower = (state: Occurrences) =>
    [...state]
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(0, k)
      .map(([text, n]) => ({ value: JSON.parse(text), count: n }));
  const counters: Counters<Occurrences> = {
    empty: () => new Map(),
    add: (state, value) => addOccurrence(state, canonicalJson(value)),
    remove: (state, value) => removeOccurrence(state, canonicalJson(value)),
    lower,
  };
  return {
    empty: () => new Map(),
    lift: (value) => new Map([[canonicalJson(value), 1]]),
    combine: (older, newer) => {
      const joined = new Map(older);
      for (const [text, n] of newer) joined.set(text, (joined.get(text) ?? 0) + n);
      return shrink(joined, capacity, capacity);
    },
    add: (state, value) => {
      addOccurrence(state, canonicalJson(value));
      // Shrinking at twice the size makes it cheap per event.
      return shrink(state, capacity, 2 * capacity);
    },
    lower,
    save: (state) => [...state],
    load: (saved) => new Map(saved as [string, number][]),
    counters: counters as Counters<unknown>,
  };
}

function shrink(state: Occurrences, capacity: number, limit: number): Occurrences {
  if (state.size <= limit) return state;
  const cut = [...state.values()].sort((a, b) => b - a)[capacity]!;
  for (const [text, n] of state) {
    if (n > cut) state.set(text, n - cut);
    else state.delete(text);
  }
  return state;
}
