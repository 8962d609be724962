export * from './extract/errors';
export * from './image';
export type { PullStrategy } from './pipeline/strategy';
export { PipelineWorkerError } from './pipeline/worker-pool';
export * from './pull/errors';
export type { BlobSink } from './pull/pull-layer';
export * from './store/errors';
export {
  ImageStore,
  type ImageStoreOptions,
  type PruneOptions,
  type PruneSummary,
} from './store/image-store';
