export { AGGREGATES, type Aggregate, EXACT_DISTINCT, PendingAnswer, STANDARD_ERROR } from './aggregates';
export { settle } from './columns';
export { outputsOf, WindowEngine } from './engine';
export * from './errors';
export { type Input, isTime, parseInput } from './input';
export type { ChangeLog } from './key-table';
export { fingerprint, parseWindowSpec, WINDOW_TYPES } from './spec';
export * from './stream';
