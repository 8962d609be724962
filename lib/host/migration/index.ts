export type {
  MigrateOptions,
  MigrateOutcome,
  MigrationPlan,
  MigrationProgress,
  ObjectAlong,
} from './migration';
export { HostMigrations } from './migrations';
export { StateHookFailedError } from './state-hooks';
