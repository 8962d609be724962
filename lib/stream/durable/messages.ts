/** What the state worker is told and answers. Requests of one store are served in order. */
export type Request =
  | { op: 'open'; store: number; path: string; settings: string }
  | { op: 'put'; store: number; records: Change[] }
  | { op: 'commit'; store: number; meta: string }
  | { op: 'close'; store: number }
  | { op: 'remove'; store: number; path: string };

/** A key and its new state as JSON; null when it is gone. */
export type Change = [key: string, record: string | null];

export type Answer =
  | { op: 'records'; store: number; records: [key: string, record: string][] }
  | { op: 'opened'; store: number; outcome: OpenOutcome; meta: string | undefined }
  | { op: 'done'; store: number }
  | { op: 'failed'; store: number; code: string; message: string };

/**
 * - `new`: there was no state.
 * - `restored`: as it was left.
 * - `recovered`: as of the last flush, since its process ended without closing it.
 * - `changed`: thrown away, since it was saved with other settings.
 * - `damaged`: set aside, since the file cannot be read.
 */
export type OpenOutcome = 'new' | 'restored' | 'recovered' | 'changed' | 'damaged';
