export { type OpenHostOptions, openHost } from './host-handle';
export { ControlDisconnectedError, ControlUnreachableError } from './remote-caller';
