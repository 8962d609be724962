import type { Fact } from '../harness/result';
import { formatNumber, median } from '../harness/statistics';

/** The median of what the runs came to; `problem` says why there is none. */
export function fact(what: string, values: readonly number[], unit: string, problem = ''): Fact {
  if (values.length === 0) return { what, value: Number.NaN, unit, note: problem };
  const range = [Math.min(...values), Math.max(...values)].map(formatNumber).join(' to ');
  return { what, value: median([...values]), unit, note: `median of ${values.length}, ${range}` };
}
