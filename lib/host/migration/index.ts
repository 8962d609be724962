export type { MigrateOptions, MigrateOutcome, MigrationPlan } from './migration';
export { HostMigrations } from './migrations';
export { StateHookFailedError } from './state-hooks';
