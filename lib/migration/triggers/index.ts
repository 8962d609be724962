export { Balance, type BalanceOptions } from './balance';
export { Consolidate, type ConsolidateOptions } from './consolidate';
export { Evacuate, type EvacuateOptions } from './evacuate';
export { Follow, type FollowOptions } from './follow';
export { MakeRoom, type MakeRoomOptions, type Want } from './make-room';
export { Pace, type PaceOptions } from './pace';
export { parseSelection, type Selection } from './selection';
export type * from './trigger';
export { Watcher } from './watcher';
