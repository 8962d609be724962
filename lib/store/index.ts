export {
  BlockInvalidError,
  BlockMismatchError,
  FetchFailedError,
  LayoutUnsupportedError,
  NameNotFoundError,
  NameRecordInvalidError,
  NamesUnavailableError,
  NasFailedError,
  NasHungError,
  NasMissingError,
  NasReadOnlyError,
  ObjectCorruptError,
  ObjectNotFoundError,
  ObjectTooLargeError,
  ProviderStalledError,
  QuotaExceededError,
} from './errors';
export { SiteBlobs } from './images/blobs';
export { PeerBlobs } from './images/peer-blobs';
export { ObjectStore, type ObjectStoreOptions } from './object-store';
export type { StoreLimits } from './parts';
export { parseReplication } from './replicate/replication';
export * from './store';
export { canonicalCid } from './tree/cid';
