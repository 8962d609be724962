export type * from './container';
export * from './engine';
export * from './errors';
