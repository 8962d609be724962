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
export * from './image/image';
