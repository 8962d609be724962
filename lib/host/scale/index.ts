export { ScaleImpossibleError, ScaleRunningError, ScaleWithoutServiceError } from './errors';
export { HostScale } from './host-scale';
export type { ScaledInstance, ScaleOptions, ScaleResult } from './scale';
