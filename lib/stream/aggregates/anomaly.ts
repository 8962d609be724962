import type { Aggregate, Judge } from './aggregate';
import { mean } from './mean';
import { addMoment, type Moments, noMoments, sampleDeviation } from './moments';

export interface AnomalyOptions {
  /** Standard deviations that are abnormal. */
  z: number;
  above: number | undefined;
  below: number | undefined;
  /** Panes of history before a z-score is given. */
  history: number;
}

/** What the pane's mean is compared with: the key's earlier panes, never the pane itself. */
export interface Anomaly {
  /** The pane's mean. */
  value: number | null;
  /** Mean and deviation of the earlier panes' means. */
  mean: number | null;
  stddev: number | null;
  z: number | null;
  anomaly: boolean;
}

/**
 * Flags a pane whose mean is out of bounds, or too many standard deviations away from the key's earlier
 * panes. A window is learnt once, with its on-time pane; an abnormal one is learnt as well, so that a new
 * normal becomes normal.
 */
export function anomaly(options: AnomalyOptions): Aggregate<ReturnType<typeof mean.empty>> {
  const judge: Judge = (answer, history, learn) => {
    const value = answer as number | null;
    const past = { ...((history as Moments | undefined) ?? noMoments()) };
    const verdict = compare(value, past, options);
    if (learn && value !== null) addMoment(past, value);
    return { answer: verdict, history: past };
  };
  return { ...mean, judge };
}

function compare(value: number | null, past: Moments, options: AnomalyOptions): Anomaly {
  const known = past.n >= Math.max(2, options.history);
  const deviation = known ? sampleDeviation(past) : null;
  const z = value === null || !deviation ? null : (value - past.mean) / deviation;
  // After a constant history any other value is abnormal, though its z-score is infinite.
  const surprising = z === null ? known && deviation === 0 && value !== null && value !== past.mean : false;
  const { above = Number.POSITIVE_INFINITY, below = Number.NEGATIVE_INFINITY } = options;
  return {
    value,
    mean: known ? past.mean : null,
    stddev: deviation,
    z,
    anomaly:
      surprising ||
      (z !== null && Math.abs(z) >= options.z) ||
      (value !== null && (value > above || value < below)),
  };
}
