import type { ContainerRow } from '../table';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** A container that ran so long has proved itself: its next pause is the first again. */
const STEADY_MS = 10_000;

/** Milliseconds before the next start, after so many in a row that did not last. */
export function pauseAfter(attempts: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts, 20), LONGEST_PAUSE_MS);
}

export interface End {
  /** It ended on the host's wish, for it was not healthy: whatever its status says, it has failed. */
  unhealthy?: boolean;
  /** The kernel was started again: not the container's fault, so it starts without a pause. */
  reboot?: boolean;
  /** It did not even start. */
  unstarted?: boolean;
}

/**
 * The row of a container that has ended, for which its end is already noted: `restarting` when its policy starts it
 * again, with the time of that, else `stopped` or `failed`.
 */
export function afterEnd(row: ContainerRow, end: End = {}, now = Date.now()): ContainerRow {
  const ended: ContainerRow = { ...row, process: null, address: null, restartAt: null, attempts: 0 };
  if (row.wanted === 'stopped') return { ...ended, state: 'stopped' };
  const clean = row.exitCode === 0 && !end.unhealthy && !end.unstarted;
  const { policy, maximumRetries = Number.POSITIVE_INFINITY } = row.care.restart ?? { policy: 'no' };
  if (policy === 'no' || (policy === 'on-failure' && clean)) {
    return { ...ended, state: clean ? 'stopped' : 'failed' };
  }
  const attempts = end.reboot || (!end.unstarted && ranSteadily(row)) ? 0 : row.attempts;
  if (attempts >= maximumRetries) {
    const times = attempts === 1 ? 'once' : `${attempts} times`;
    return { ...ended, state: 'failed', reason: `${row.reason}; restarted ${times} in vain` };
  }
  const restartAt = now + (end.reboot ? 0 : pauseAfter(attempts));
  return { ...ended, state: 'restarting', attempts: attempts + 1, restartAt };
}

/**
 * Whether a container that does not run is to come back after a reboot by its policy alone. Those that ran, or
 * waited to be restarted, come back by `afterEnd`.
 */
export function returnsAfterBoot(row: ContainerRow): boolean {
  if (row.state !== 'stopped' && row.state !== 'failed') return false;
  const policy = row.care.restart?.policy;
  return policy === 'always' || (policy === 'unless-stopped' && row.wanted === 'running');
}

function ranSteadily({ startedAt, finishedAt }: ContainerRow): boolean {
  return startedAt !== null && finishedAt !== null && finishedAt - startedAt >= STEADY_MS;
}
