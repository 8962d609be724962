export { Backlog, BacklogFullError, type BacklogLimits, type Place } from './backlog';
export { nodeError } from './node-error';
export { StatusLine, type Translate } from './status-line';
