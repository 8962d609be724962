import type { LongCall, Progress } from '../../base';
import type { Round } from '../transfer';

/** How far a migration is; while memory is sent ahead it also says what is to be expected. */
export interface MigrationProgress extends Progress {
  /** In the phase `warming up`: the round over the memory, counted from 1. */
  round?: number | undefined;
  /** From the second round on: milliseconds for which it would stand still if that began now. */
  estimatedDowntimeMs?: number | undefined;
}

/** Milliseconds for which a container would stand still after these rounds, of which there is at least one. */
export type DowntimeOf = (rounds: readonly Round[]) => number;

const PAGE = 4096;

/** What to warm up with, so that its progress says the round and the downtime as well. `memory`: of the container, in bytes. */
export function warmUpProgress(
  memory: number,
  downtimeOf: DowntimeOf,
  onProgress: ((progress: MigrationProgress) => void) | undefined,
): Pick<LongCall, 'onProgress'> & { onRound(rounds: readonly Round[]): void } {
  // Later rounds are a small part of the whole.
  const pages = Math.ceil(memory / PAGE);
  let [round, estimatedDowntimeMs]: [number, number | undefined] = [1, undefined];
  return {
    onRound(rounds) {
      round = rounds.length + 1;
      estimatedDowntimeMs = downtimeOf(rounds);
    },
    onProgress: (progress) =>
      onProgress?.({ ...progress, total: Math.max(pages, progress.done), round, estimatedDowntimeMs }),
  };
}
