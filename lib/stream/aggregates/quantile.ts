import { type Aggregate, type Counters, isNumber } from './aggregate';
import { changeSketch, joinSketches, newSketch, quantileOf, type Sketch } from './ddsketch';

/** The value at a rank, within 1 % of it: q 0.5 is the (lower) median. */
export function quantile(q: number): Aggregate<Sketch> {
  const change = (sketch: Sketch, value: unknown, by: 1 | -1): void => {
    if (isNumber(value)) changeSketch(sketch, value, by);
  };
  const counters: Counters<Sketch> = {
    empty: newSketch,
    add: (state, value) => change(state, value, 1),
    remove: (state, value) => change(state, value, -1),
    lower: (state) => quantileOf(state, q),
  };
  return {
    empty: newSketch,
    lift: (value) => {
      const sketch = newSketch();
      change(sketch, value, 1);
      return sketch;
    },
    combine: joinSketches,
    add: (state, value) => {
      change(state, value, 1);
      return state;
    },
    lower: (state) => quantileOf(state, q),
    counters: counters as Counters<unknown>,
  };
}
