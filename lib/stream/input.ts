import { StreamInputError } from './errors';
import type { StreamEvent } from './stream';

/** One input line. */
export type Input =
  | { kind: 'event'; event: StreamEvent }
  | { kind: 'watermark'; value: number }
  | { kind: 'clock'; value: number };

/** The range of ECMAScript's Date; within it, sums of times are exact to less than a millisecond. */
const LARGEST_TIME = 8.64e15;

export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= LARGEST_TIME;
}

/**
 * Reads one input line.
 *
 * @param needsTime whether events must have a time (event time)
 * @throws {StreamInputError} naming the line
 */
export function parseInput(line: string, lineNumber: number, needsTime: boolean): Input {
  let input: unknown;
  try {
    input = JSON.parse(line);
  } catch (cause) {
    throw wrong(lineNumber, `is not JSON: ${(cause as Error).message}`);
  }
  if (input === null || typeof input !== 'object' || Array.isArray(input)) {
    throw wrong(lineNumber, 'is not a JSON object');
  }
  const fields = input as Record<string, unknown>;
  if ('watermark' in fields) return { kind: 'watermark', value: time(fields, 'watermark', lineNumber) };
  if ('processingTime' in fields) return { kind: 'clock', value: time(fields, 'processingTime', lineNumber) };
  if (needsTime || fields.time !== undefined) time(fields, 'time', lineNumber);
  for (const name of ['key', 'source']) {
    if (fields[name] !== undefined && typeof fields[name] !== 'string') {
      throw wrong(lineNumber, `has a ${name} that is not a text: ${JSON.stringify(fields[name])}`);
    }
  }
  return { kind: 'event', event: fields as StreamEvent };
}

function time(fields: Record<string, unknown>, name: string, lineNumber: number): number {
  const value = fields[name];
  if (value === undefined) throw wrong(lineNumber, `has no ${name}`);
  if (!isTime(value)) throw wrong(lineNumber, `has a ${name} that is no time: ${JSON.stringify(value)}`);
  return value;
}

function wrong(lineNumber: number, what: string): StreamInputError {
  return new StreamInputError(`line ${lineNumber} ${what}`);
}
