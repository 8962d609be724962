/** What one question of a probe brought. */
export interface Answer {
  /** `error`: it could not be asked, for something is missing that a restart does not bring. */
  outcome: 'success' | 'failure' | 'error';
  /** In words, for people. */
  detail: string;
}

export const SUCCESS: Answer = { outcome: 'success', detail: '' };

export function failure(detail: string): Answer {
  return { outcome: 'failure', detail };
}

export function cannotAsk(detail: string): Answer {
  return { outcome: 'error', detail };
}
