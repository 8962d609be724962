export { callWithInputFile, callWithOutputFile, descriptorPath, hostOpens } from './files';
export { type OpenHostOptions, openHost } from './open-host';
export { callWithInput, callWithOutput } from './relay';
export { ControlDisconnectedError, ControlUnreachableError } from './remote-caller';
