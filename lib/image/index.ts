export * from './archive/errors';
export * from './extract/errors';
export * from './image';
export * from './manifest/errors';
export type { PullStrategy } from './pipeline/strategy';
export { PipelineWorkerError } from './pipeline/worker-pool';
export * from './pull/errors';
export type { BlobSink } from './pull/pull-layer';
export * from './reference';
export * from './registry/errors';
export { registryKey } from './registry/hosts';
export { openImageSource, type SourceOptions } from './source';
export { describeImage } from './source/describe';
export * from './store/errors';
export {
  ImageStore,
  type ImageStoreOptions,
  type PruneOptions,
  type PruneSummary,
} from './store/image-store';
