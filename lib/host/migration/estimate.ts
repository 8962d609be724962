import type { MigrationMode } from '../../migration/protocol';
import type { Round } from '../../migration/transfer';

/** Measured on a slow machine: writing and reading back of a process, without its memory. */
const FIXED_MS = 500;
/** Of memory, for both, in bytes per millisecond. */
const MEMORY_RATE = 200_000;
/** Of memory, what is written again while the rest is sent. */
const WRITTEN_AGAIN = 0.02;
/** Of a line that was not measured yet, in bytes per second: 100 Mbit/s. */
const USUAL_LINE = 12_500_000;
const START_MS = 1_000;
/** A container may stand still for so long at least, and for so many times what was to be expected. */
const PATIENCE_MS = 60_000;
const PATIENCE_FACTOR = 4;

export interface EstimateRequest {
  mode: MigrationMode;
  fresh: boolean;
  /** Bytes. */
  memory: number;
  files: number;
  /** Bytes per second; null when it was not measured. */
  throughput: number | null;
}

/** What a migration is likely to take; zeros and pages of files make it less. */
export function estimate({ mode, fresh, memory, files, throughput }: EstimateRequest): {
  bytes: number;
  downtimeMs: number;
} {
  if (mode === 'elastic') return { bytes: 0, downtimeMs: 0 };
  if (fresh) return { bytes: files, downtimeMs: START_MS };
  const late = mode === 'live' ? memory * WRITTEN_AGAIN : memory;
  const sendingMs = (late / (throughput ?? USUAL_LINE)) * 1000;
  return {
    bytes: Math.round(memory + files + (mode === 'live' ? late : 0)),
    downtimeMs: Math.round(FIXED_MS + memory / MEMORY_RATE + sendingMs),
  };
}

/** Milliseconds after which a container that stands still is not waited for any more. */
export function standstillLimit({ downtimeMs }: { downtimeMs: number }, graceMs = 0): number {
  return PATIENCE_MS + graceMs + PATIENCE_FACTOR * downtimeMs;
}

/** How long a container of so much memory stands still after these rounds: what it writes meanwhile is sent then. */
export function downtimeAfter(memory: number, rounds: readonly Round[]): number {
  const [first, last] = [rounds[0]!, rounds.at(-1)!];
  const late = rounds.length > 1 ? last.bytesSent : memory * WRITTEN_AGAIN;
  // The first round has the most to send, so it says best what the line can do; of a round without bytes it says nothing.
  const rate = first.bytesSent > 0 && first.ms > 0 ? first.bytesSent / first.ms : USUAL_LINE / 1000;
  return Math.round(FIXED_MS + memory / MEMORY_RATE + late / rate);
}
