export {
  AGGREGATES,
  type Aggregate,
  EXACT_DISTINCT,
  type FieldReader,
  fieldReader,
  PendingAnswer,
  STANDARD_ERROR,
} from './aggregates';
export { SteadyClock } from './clock';
export { settle } from './columns';
export { type DurableOptions, DurableState, type OpenOutcome, StreamStorageError } from './durable';
export { outputsOf, WindowEngine } from './engine';
export * from './errors';
export { type Input, isTime, parseInput } from './input';
export type { ChangeLog } from './key-table';
export { type RunnerOptions, type Task, WindowRunner } from './runner';
export { forgetKeys, mergeSnapshot, takeSnapshot } from './snapshot';
export { fingerprint, parseWindowSpec, WINDOW_TYPES } from './spec';
export * from './stream';
