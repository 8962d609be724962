export * from './block-device';
export * from './machine';
export * from './power';
export { LocalMachine, thisMachine } from './this-machine';
