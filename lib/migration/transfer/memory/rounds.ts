/** What one warm-up round did. */
export interface Round {
  pagesSent: number;
  bytesSent: number;
  ms: number;
}

const MAXIMUM_ROUNDS = 8;
/** So few pages that the final dump may as well carry them. */
const FEW_PAGES = 256;
/** A round that finds more than this share of the one before shrinks no more. */
const SHRINKING = 0.9;

/** Whether another warm-up round would pay. */
export function isWarm(rounds: readonly Round[]): boolean {
  const [last, before] = [rounds.at(-1), rounds.at(-2)];
  if (!last) return false;
  if (rounds.length >= MAXIMUM_ROUNDS || last.pagesSent <= FEW_PAGES) return true;
  return before !== undefined && last.pagesSent > SHRINKING * before.pagesSent;
}
