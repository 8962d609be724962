import { type Aggregate, isNumber } from './aggregate';
import { addMoment, joinMoments, loadMoments, type Moments, noMoments, sampleDeviation } from './moments';

/** The sample standard deviation of the numbers; null under two. */
export const stddev: Aggregate<Moments> = {
  empty: noMoments,
  lift: (value) => (isNumber(value) ? { n: 1, mean: value, m2: 0 } : noMoments()),
  combine: joinMoments,
  add: (state, value) => {
    if (isNumber(value)) addMoment(state, value);
    return state;
  },
  lower: sampleDeviation,
  packed: {
    width: 3,
    write: ({ n, mean, m2 }, into, at) => {
      into[at] = n;
      into[at + 1] = mean;
      into[at + 2] = m2;
    },
    read: (from, at) => ({ n: from[at]!, mean: from[at + 1]!, m2: from[at + 2]! }),
  },
  load: loadMoments,
};
