import { type Aggregate, isNumber } from './aggregate';

type Extreme = { value: number | null };

/** The smallest or largest of the numbers. */
function extreme(better: (a: number, b: number) => boolean): Aggregate<Extreme> {
  return {
    empty: () => ({ value: null }),
    lift: (value) => ({ value: isNumber(value) ? value : null }),
    combine: (older, newer) => {
      if (older.value === null) return newer;
      return newer.value !== null && better(newer.value, older.value) ? newer : older;
    },
    add: (state, value) => {
      if (isNumber(value) && (state.value === null || better(value, state.value))) return { value };
      return state;
    },
    lower: (state) => state.value,
    packed: {
      width: 1,
      write: ({ value }, into, at) => {
        into[at] = value ?? Number.NaN;
      },
      read: (from, at) => ({ value: Number.isNaN(from[at]) ? null : from[at]! }),
    },
  };
}

export const min: Aggregate<Extreme> = extreme((a, b) => a < b);
export const max: Aggregate<Extreme> = extreme((a, b) => a > b);
