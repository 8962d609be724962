export * from './block-device';
export * from './machine';
export { LocalMachine, thisMachine } from './this-machine';
