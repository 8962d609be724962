export {
  type Check,
  type CheckResult,
  type Examination,
  type ExamineOptions,
  examine,
  type Machine,
} from './doctor';
export * from './host';
export { LocalHost, type LocalHostOptions } from './local-host';
