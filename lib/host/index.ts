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
export * from './host';
export { LocalHost, type LocalHostOptions } from './local-host';
export type { ChangeableMachine, Machine } from './machine';
export { type ApplyOptions, applyFixes, type Undone, undoFixes } from './tuning';
