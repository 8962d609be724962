import type { Piece } from './piece';

/** What the state worker is told and answers. Requests of one store are served in order. */
export type Request =
  | { op: 'open'; store: number; path: string; settings: string }
  | { op: 'put'; store: number; changes: Change[] }
  | { op: 'commit'; store: number; meta: string }
  | { op: 'close'; store: number }
  | { op: 'remove'; store: number; path: string };

/** A key's new state, or the next pieces of a list. */
export type Change =
  | {
      kind: 'key';
      key: string;
      /** As JSON; null when the key is gone. */
      record: string | null;
      /** The lists that it has now: what was kept of others is forgotten. */
      lists: { list: number; floor: number; byTime: boolean }[];
      /** Forget all that was kept of the key before. */
      whole: boolean;
    }
  | { kind: 'piece'; key: string; list: number; piece: Piece };

export interface KeyRecord {
  key: string;
  record: string;
  pieces: { list: number; piece: Piece }[];
}

export type Answer =
  | { op: 'records'; store: number; records: KeyRecord[] }
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
