export type { CheckpointOptions, CheckpointResult, RestoreOptions, RestoreResult } from './checkpoints';
export { DEVICE_KINDS, type DeviceKind, type DeviceReader, findDevices, type HostDevice } from './devices';
export {
  type CheckArea,
  type CheckResult,
  type Examination,
  type ExamineOptions,
  examine,
  type Finding,
  type Fixed,
  findAll,
} from './doctor';
export type { MeshSettings, SiteHost, SiteStatus } from './fog';
export type { ForwardStatus } from './forwards';
export * from './host';
export { LocalHost, type LocalHostOptions } from './local-host';
export { type ChangeableMachine, type Machine, thisMachine } from './machine';
export type {
  MigrateOptions,
  MigrateOutcome,
  MigrationPlan,
  MigrationProgress,
  ObjectAlong,
} from './migration';
export type { GetOptions, GetResult, PutFileOptions, PutFileResult } from './objects';
export { ObjectOverLimitError } from './objects';
export type { Outlook, OutlookOptions } from './outlook';
export {
  type ScaledInstance,
  ScaleImpossibleError,
  type ScaleOptions,
  type ScaleResult,
  ScaleRunningError,
  ScaleWithoutServiceError,
} from './scale';
export { notifyServiceManager, type ServiceOptions, serviceSteps, startByHand } from './service';
export {
  type InstanceState,
  type ServiceInstance,
  ServicePortTakenError,
  type ServiceStatus,
  ServiceUnavailableError,
} from './services';
export type { HostSettings } from './settings';
export { type Purpose, planSetup, runSteps, type SetupOptions, type SetupPlan, type Step } from './setup';
export { type ApplyOptions, applyFixes, type Undone, undoFixes } from './tuning';
export { planUninstall, type UninstallOptions, type UninstallPlan } from './uninstall';
