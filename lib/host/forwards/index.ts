export { ForwardUnavailableError } from './errors';
export type { ForwardStatus } from './forward';
export { HostForwards, type HostForwardsOptions } from './forwards';
