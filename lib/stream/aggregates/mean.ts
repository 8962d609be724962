import { type Aggregate, isNumber } from './aggregate';
import { addNumber, addSums, type CompensatedSum, loadSum, roundedSum } from './compensated';

interface MeanState extends CompensatedSum {
  n: number;
}

/** The arithmetic mean of the numbers. */
export const mean: Aggregate<MeanState> = {
  empty: () => ({ high: 0, low: 0, n: 0 }),
  lift: (value) => (isNumber(value) ? { high: value, low: 0, n: 1 } : { high: 0, low: 0, n: 0 }),
  combine: (older, newer) => {
    const { high, low } = addSums(older, newer);
    return { high, low, n: older.n + newer.n };
  },
  add: (state, value) => {
    if (isNumber(value)) {
      addNumber(state, value);
      state.n += 1;
    }
    return state;
  },
  lower: (state) => {
    const total = roundedSum(state);
    return state.n === 0 || total === null ? null : total / state.n;
  },
  packed: {
    width: 3,
    write: ({ high, low, n }, into, at) => {
      into[at] = high;
      into[at + 1] = low;
      into[at + 2] = n;
    },
    read: (from, at) => ({ high: from[at]!, low: from[at + 1]!, n: from[at + 2]! }),
  },
  load: (saved) => ({ ...loadSum(saved as CompensatedSum), n: (saved as MeanState).n }),
};
