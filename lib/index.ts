/**
 * The library behind Garua's nodes and its command line, for authors of other nodes and programs. What is
 * not exported here is private.
 */
export {
  AbortedError,
  DataDirectoryInUseError,
  DiskFullError,
  defaultDataDirectory,
  GaruaError,
  InvalidArgumentError,
  type LongCall,
  PermissionError,
  type Progress,
  ToolFailedError,
  ToolMissingError,
  ToolTimeoutError,
} from './base';
export {
  CommandNotExecutableError,
  CommandNotFoundError,
  ContainerNameInvalidError,
  ContainerNotFoundError,
  ContainerRunningError,
  LayerMissingError,
  MemoryLimitUnsupportedError,
  MountSourceMissingError,
  NetworkFailedError,
  NetworkUnsupportedError,
  NoCommandError,
  PortTakenError,
  ReplaceFailedError,
  RootMountError,
  StartFailedError,
  StopFailedError,
  UserNotFoundError,
  WrongArchitectureError,
} from './container';
export * from './container/container';

export { ControlDisconnectedError, ControlUnreachableError, type OpenHostOptions, openHost } from './control';
export {
  type CheckResult,
  type DeployOptions,
  type DeployResult,
  type Examination,
  examine,
  type Host,
  type HostInfo,
  type PruneResult,
} from './host';
export {
  BlobMissingError,
  BlobSizeError,
  BlobTooLongError,
  BlobTooShortError,
  DigestMismatchError,
  DownloadFailedError,
  ImageAmbiguousError,
  ImageArchiveCompressedError,
  ImageArchiveError,
  ImageNotFoundError,
  ImageReferenceError,
  ImageUnknownError,
  LayerBreakoutError,
  LayerCorruptError,
  LayerUnsupportedError,
  ManifestDigestMismatchError,
  ManifestInvalidError,
  ManifestTooLargeError,
  ManifestUnsupportedError,
  PipelineWorkerError,
  PlatformInvalidError,
  PlatformNotFoundError,
  RegistryConfigurationError,
  RegistryError,
  RegistryProtocolError,
  RegistryRateLimitError,
  RegistryTimeoutError,
  RegistryUnauthorizedError,
  RegistryUnavailableError,
  RegistryUnreachableError,
} from './image';
export * from './image/image';
