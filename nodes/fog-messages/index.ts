export * from './encoding';
export { cutOff, reach } from './reach';
