import { type Aggregate, isNumber } from './aggregate';
import { addNumber, addSums, type CompensatedSum, loadSum, roundedSum } from './compensated';

/** The sum of the numbers; 0 for none, null beyond the range of a double. */
export const sum: Aggregate<CompensatedSum> = {
  empty: () => ({ high: 0, low: 0 }),
  lift: (value) => ({ high: isNumber(value) ? value : 0, low: 0 }),
  combine: addSums,
  add: (state, value) => {
    if (isNumber(value)) addNumber(state, value);
    return state;
  },
  lower: roundedSum,
  packed: {
    width: 2,
    write: ({ high, low }, into, at) => {
      into[at] = high;
      into[at + 1] = low;
    },
    read: (from, at) => ({ high: from[at]!, low: from[at + 1]! }),
  },
  load: (saved) => loadSum(saved as CompensatedSum),
};
