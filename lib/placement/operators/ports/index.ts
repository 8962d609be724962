export { PortGoneError, PortUnknownError } from './errors';
export { OperatorPorts } from './operator-ports';
export * from './ports';
export type * from './snapshottable';
