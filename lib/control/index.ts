export { type OpenHostOptions, openHost } from './host-handle';
export { callWithInput, callWithOutput } from './relay';
export { ControlDisconnectedError, ControlUnreachableError } from './remote-caller';
