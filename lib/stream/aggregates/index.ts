import type { AggregateSpec } from '../stream';
import type { Aggregate } from './aggregate';
import { anomaly } from './anomaly';
import { collect } from './collect';
import { count } from './count';
import { distinct } from './distinct';
import { first, last } from './ends';
import { expression } from './expression';
import { max, min } from './extremes';
import { type FieldReader, fieldReader } from './field';
import { mean } from './mean';
import { quantile } from './quantile';
import { stddev } from './stddev';
import { sum } from './sum';
import { topk } from './topk';

export type { Aggregate, Counters, Item, Judge, Packing } from './aggregate';
export { EXACT_DISTINCT } from './distinct';
export { PendingAnswer } from './expression';
export { type FieldReader, fieldReader } from './field';
export { STANDARD_ERROR } from './hyperloglog';

const MAKERS: Record<string, (spec: AggregateSpec) => Aggregate<unknown>> = {
  count: () => count,
  sum: () => sum,
  mean: () => mean,
  min: () => min,
  max: () => max,
  stddev: () => stddev,
  first: () => first,
  last: () => last,
  collect: () => collect,
  distinct: () => distinct,
  quantile: ({ q }) => quantile(q!),
  topk: ({ k }) => topk(k!),
  jsonata: ({ expr }) => expression(expr!),
  anomaly: ({ z = 3, above, below, history = 5 }) => anomaly({ z, above, below, history }),
};

/** The names of all aggregates. */
export const AGGREGATES: readonly string[] = Object.keys(MAKERS);

/** An aggregate, the part of the value that it reads, and its name in the result. */
export interface Column {
  readonly name: string;
  readonly read: FieldReader;
  readonly aggregate: Aggregate<unknown>;
}

/** @throws {StreamSpecError} for an expression that cannot be parsed */
export function makeColumn(spec: AggregateSpec): Column {
  return {
    name: spec.as ?? spec.op,
    read: fieldReader(spec.field),
    aggregate: MAKERS[spec.op]!(spec),
  };
}
