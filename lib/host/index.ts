export * from './host';
export { LocalHost, type LocalHostOptions } from './local-host';
