/**
 * A sum as an unevaluated pair of doubles, high + low, with some 106 bits: adding a thousand tenths gives
 * 100 exactly, and a large value that comes and goes takes nothing with it. (Two-sum: Knuth, TAOCP 2, 4.2.2,
 * theorem B; double-double addition: Joldes, Muller, Popescu, ACM TOMS 44(2), 2017, algorithms 4 and 6.)
 *
 * A sum beyond the range of a double is infinite in `high`.
 */
export interface CompensatedSum {
  high: number;
  low: number;
}

export function addNumber(sum: CompensatedSum, value: number): void {
  const { high } = sum;
  const total = high + value;
  const part = total - high;
  const error = high - (total - part) + (value - part);
  const low = sum.low + error;
  sum.high = total + low;
  sum.low = low - (sum.high - total);
}

export function addSums(a: CompensatedSum, b: CompensatedSum): CompensatedSum {
  const [high, highError] = twoSum(a.high, b.high);
  const [low, lowError] = twoSum(a.low, b.low);
  const first = fastTwoSum(high, highError + low);
  const second = fastTwoSum(first[0], lowError + first[1]);
  return { high: second[0], low: second[1] };
}

/** The nearest double; null when there is none in range. */
export function roundedSum(sum: CompensatedSum): number | null {
  const value = sum.high + sum.low;
  return Number.isFinite(value) ? value : null;
}

/** JSON writes infinities and NaN as null. */
export function loadSum(saved: { high: number | null; low: number | null }): CompensatedSum {
  return { high: saved.high ?? Number.POSITIVE_INFINITY, low: saved.low ?? Number.NaN };
}

function twoSum(a: number, b: number): [sum: number, error: number] {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
}

function fastTwoSum(a: number, b: number): [sum: number, error: number] {
  const sum = a + b;
  return [sum, b - (sum - a)];
}
