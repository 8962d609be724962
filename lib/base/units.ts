import { InvalidArgumentError } from './errors';

const SIZE_FACTORS: Record<string, number> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/**
 * Bytes from a number or from text such as `64m`, `1.5g`, `512KiB` (all factors are powers of 1024).
 *
 * @throws {InvalidArgumentError}
 */
export function parseSize(value: string | number): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?\s*$/i.exec(String(value));
  const size = match ? Number(match[1]) * SIZE_FACTORS[match[2]!.toLowerCase()]! : Number.NaN;
  if (!Number.isFinite(size)) {
    throw new InvalidArgumentError(
      `"${value}" is not a size`,
      'Write a number with a unit, such as 64m or 1g.',
    );
  }
  return Math.round(size);
}

/** A size for people, such as `12.3 MB` (powers of 1000, as disks and networks are sold). */
export function formatSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
