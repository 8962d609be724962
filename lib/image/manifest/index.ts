export * from './errors';
export * from './media-types';
export * from './parse';
export * from './resolve';
