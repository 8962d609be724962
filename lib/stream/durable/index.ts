export { type DurableOptions, DurableState } from './durable-state';
export type { OpenOutcome } from './messages';
export { StreamStorageError } from './state-writer';
