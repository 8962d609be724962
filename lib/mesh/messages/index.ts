export { consume, type Position } from './consume';
export * from './errors';
export { FogMessages } from './fog-messages';
export * from './messages';
export { Publisher } from './publisher';
export * from './roaming/errors';
export type * from './roaming/roaming';
