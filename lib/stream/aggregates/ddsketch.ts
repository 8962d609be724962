/**
 * DDSketch (Masson, Rim, Lee, VLDB 2019): buckets whose bounds grow by a constant factor, so that every
 * quantile is within a relative error of 1 % of the value at its rank. Buckets are made on demand and never
 * collapsed: at most 70,000 over the whole range of doubles, some hundreds in practice.
 */
const RELATIVE_ERROR = 0.01;
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);

/** Bucket numbers in ascending order, and how many values each holds. */
interface Buckets {
  numbers: number[];
  counts: number[];
}

export interface Sketch {
  n: number;
  zeros: number;
  negative: Buckets;
  positive: Buckets;
}

export const newSketch = (): Sketch => ({
  n: 0,
  zeros: 0,
  negative: { numbers: [], counts: [] },
  positive: { numbers: [], counts: [] },
});

/** Adds (`change` 1) or takes away (-1) a value. */
export function changeSketch(sketch: Sketch, value: number, change: 1 | -1): void {
  sketch.n += change;
  if (value === 0) sketch.zeros += change;
  else changeBucket(value > 0 ? sketch.positive : sketch.negative, bucketOf(Math.abs(value)), change);
}

export function joinSketches(a: Sketch, b: Sketch): Sketch {
  return {
    n: a.n + b.n,
    zeros: a.zeros + b.zeros,
    negative: joinBuckets(a.negative, b.negative),
    positive: joinBuckets(a.positive, b.positive),
  };
}

/** The value at rank floor(1 + q (n - 1)), as in the paper; null for none. */
export function quantileOf(sketch: Sketch, q: number): number | null {
  if (sketch.n === 0) return null;
  let rank = Math.floor(q * (sketch.n - 1));
  const { negative, positive } = sketch;
  for (let at = negative.numbers.length - 1; at >= 0; at -= 1) {
    rank -= negative.counts[at]!;
    if (rank < 0) return -magnitudeOf(negative.numbers[at]!);
  }
  rank -= sketch.zeros;
  if (rank < 0) return 0;
  for (let at = 0; at < positive.numbers.length; at += 1) {
    rank -= positive.counts[at]!;
    if (rank < 0) return magnitudeOf(positive.numbers[at]!);
  }
  return null;
}

function bucketOf(magnitude: number): number {
  return Math.ceil(Math.log(magnitude) / LOG_GAMMA);
}

/** The point of a bucket that is equally far, relatively, from both of its bounds. */
function magnitudeOf(bucket: number): number {
  return Math.min(Number.MAX_VALUE, Math.exp(bucket * LOG_GAMMA) * (2 / (1 + GAMMA)));
}

function changeBucket({ numbers, counts }: Buckets, bucket: number, change: 1 | -1): void {
  const at = position(numbers, bucket);
  if (numbers[at] !== bucket) {
    numbers.splice(at, 0, bucket);
    counts.splice(at, 0, change);
    return;
  }
  counts[at]! += change;
  if (counts[at] === 0) {
    numbers.splice(at, 1);
    counts.splice(at, 1);
  }
}

function position(numbers: number[], bucket: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! < bucket) low = middle + 1;
    else high = middle;
  }
  return low;
}

function joinBuckets(a: Buckets, b: Buckets): Buckets {
  const joined: Buckets = { numbers: [], counts: [] };
  let [i, j] = [0, 0];
  while (i < a.numbers.length || j < b.numbers.length) {
    const [x, y] = [a.numbers[i] ?? Number.POSITIVE_INFINITY, b.numbers[j] ?? Number.POSITIVE_INFINITY];
    joined.numbers.push(Math.min(x, y));
    joined.counts.push((x <= y ? a.counts[i++]! : 0) + (y <= x ? b.counts[j++]! : 0));
  }
  return joined;
}
