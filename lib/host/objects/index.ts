export { type GetResult, HostObjects } from './objects';
