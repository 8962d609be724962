export * from './encoding';
export { listen } from './listen';
export { cutOff, reach } from './reach';
