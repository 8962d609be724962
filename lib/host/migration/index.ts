export type { MigrateOptions, MigrateOutcome, MigrationPlan, MigrationProgress } from './migration';
export { HostMigrations } from './migrations';
export { StateHookFailedError } from './state-hooks';
