export type { CheckpointHeader } from './checkpoint-file';
export * from './errors';
export { CheckpointReader } from './load';
export { type SaveOptions, saveCheckpoint } from './save';
