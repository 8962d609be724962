import type { MigrationMode, MigrationProgress, MigrationResult } from '../../migration/protocol';
import type { ForwardStatus } from '../forwards';
import type { ObjectAlong } from './objects-along';

export type { MigrationProgress, ObjectAlong };

export interface MigrateOptions {
  /** Gives the migration up, until it stands still. */
  signal?: AbortSignal | undefined;
  /** While memory is sent ahead it is told the round and the downtime to be expected, too. */
  onProgress?: ((progress: MigrationProgress) => void) | undefined;
  /** Name of a host of the fog, or a prefix of its peer ID. */
  to: string;
  /** Default `live`. */
  mode?: MigrationMode | undefined;
  /** Only says what would happen. */
  dryRun?: boolean | undefined;
  /** Milliseconds that the program may take to end where it is stopped. Default 10,000. */
  graceMs?: number | undefined;
  /**
   * Milliseconds for which it may stand still before it is handed over; then the migration is given up, and it goes on
   * here. Default a minute, and four times what is to be expected.
   */
  standstillMs?: number | undefined;
  /**
   * Elastic mode: milliseconds in which requests under way may end once others go to the new one; it ends the sooner
   * when none is. Default 10,000.
   */
  drainMs?: number | undefined;
  /**
   * Milliseconds for which this host passes connections to the published TCP ports on to where it has gone, until
   * nobody comes any more; 0 for not at all. Default an hour.
   */
  forwardMs?: number | undefined;
}

/** What a dry run found out. */
export interface MigrationPlan {
  possible: boolean;
  /** In words, all that stands in the way. */
  problems: string[];
  mode: MigrationMode;
  /** Whether it would be started anew, since it cannot be checkpointed. */
  fresh: boolean;
  /** Bytes that would be sent, and milliseconds for which it would stand still. */
  estimate: { bytes: number; downtimeMs: number };
}

/**
 * The document of `garua migrate --json`, with the objects that went along and the ports that are passed on from here;
 * with `--dry-run`, the plan.
 */
export type MigrateOutcome =
  | (MigrationResult & { objects?: ObjectAlong[]; forwards?: ForwardStatus[] })
  | MigrationPlan;
