/**
 * Count, mean and sum of squared deviations, without cancellation: adding one is Welford's method, joining
 * two is Chan, Golub and LeVeque's (Updating formulae and a pairwise algorithm, 1979).
 */
export interface Moments {
  n: number;
  mean: number;
  m2: number;
}

export const noMoments = (): Moments => ({ n: 0, mean: 0, m2: 0 });

export function addMoment(state: Moments, value: number): void {
  state.n += 1;
  const delta = value - state.mean;
  state.mean += delta / state.n;
  state.m2 += delta * (value - state.mean);
}

export function joinMoments(a: Moments, b: Moments): Moments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const delta = b.mean - a.mean;
  return {
    n,
    mean: a.mean + (delta * b.n) / n,
    m2: a.m2 + b.m2 + delta * delta * ((a.n * b.n) / n),
  };
}

/** The sample standard deviation; null under two values, or beyond the range of a double. */
export function sampleDeviation({ n, m2 }: Moments): number | null {
  const deviation = n < 2 ? Number.NaN : Math.sqrt(m2 / (n - 1));
  return Number.isFinite(deviation) ? deviation : null;
}

/** JSON writes infinities and NaN as null. */
export function loadMoments(saved: unknown): Moments {
  const { n, mean, m2 } = saved as { n: number; mean: number | null; m2: number | null };
  return { n, mean: mean ?? Number.NaN, m2: m2 ?? Number.NaN };
}
