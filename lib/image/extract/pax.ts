import type { Timestamp } from './entry';
import { LayerCorruptError } from './errors';
import { showName } from './names';

export type PaxRecord = [key: string, value: Buffer];

/**
 * The records of an extended header, `length key=value\n` each (POSIX.1-2001, pax, "pax Header Block"). Keys
 * are Latin-1 byte strings. Repeated keys stay, in order: sparse format 0.0 needs them.
 *
 * @throws {LayerCorruptError}
 */
export function parsePaxRecords(content: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  let start = 0;
  while (start < content.length && content[start] !== 0) {
    const space = content.indexOf(0x20, start);
    const length = space < 0 ? Number.NaN : parseDecimal(content.toString('latin1', start, space));
    const end = start + length;
    const equals = content.indexOf(0x3d, space);
    if (!(end <= content.length) || equals <= space || equals >= end || content[end - 1] !== 0x0a) {
      throw new LayerCorruptError('a PAX record is malformed');
    }
    records.push([content.toString('latin1', space + 1, equals), content.subarray(equals + 1, end - 1)]);
    start = end;
  }
  return records;
}

/** A whole number of 0 or more. @throws {LayerCorruptError} */
export function parseDecimal(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new LayerCorruptError(`"${showName(text)}" is not a number`);
  return value;
}

/** Seconds with a fraction of any length, also before 1970. @throws {LayerCorruptError} */
export function parseTime(text: string): Timestamp {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  const seconds = match ? Number(match[2]) : Number.NaN;
  if (!Number.isSafeInteger(seconds)) throw new LayerCorruptError(`"${showName(text)}" is not a time`);
  const nanoseconds = Number((match![3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (!match![1]) return { seconds, nanoseconds };
  // Nanoseconds always count forward.
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}
