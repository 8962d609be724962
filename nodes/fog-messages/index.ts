export * from './encoding';
export { nodeError } from './node-error';
export { cutOff, reach } from './reach';
export { StatusLine, type Translate } from './status-line';
