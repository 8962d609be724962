export * from './errors';
export { MigrationLedger } from './ledger';
export type * from './links';
export { type Served, serveMigrations, sourceOver, targetOver } from './mesh-links';
export type * from './messages';
export { type MigrationResult, type Movement, moveContainer } from './move';
export type { DowntimeOf, MigrationProgress } from './progress';
export { MigrationSource, type SourceOptions } from './source';
export { type Expected, MigrationTarget, type TargetOptions } from './target';
