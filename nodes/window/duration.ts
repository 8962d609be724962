import { InvalidArgumentError } from '../../lib/base';

const UNITS: Record<string, number> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds from text such as `500 ms`, `10 s`, `1.5 h`; a bare number is milliseconds, empty is
 * undefined.
 *
 * @throws {InvalidArgumentError}
 */
export function parseDuration(what: string, value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const match = /^\s*(-?\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?\s*$/.exec(String(value));
  const milliseconds = match ? Number(match[1]) * UNITS[match[2] ?? 'ms']! : Number.NaN;
  if (!Number.isSafeInteger(Math.round(milliseconds))) {
    throw new InvalidArgumentError(
      `${what} is "${value}", which is no duration`,
      'Write a number and a unit: ms, s, min, h or d.',
    );
  }
  return Math.round(milliseconds);
}

/** A short duration for a status, such as `1m5s`. */
export function shortDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h${minutes % 60}m` : `${Math.floor(hours / 24)}d${hours % 24}h`;
}
