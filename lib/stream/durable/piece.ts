import type { Span } from '../events';
import { jsonText } from './json-text';

/** Some events of a list as they are kept in the file and handed between threads. */
export interface Piece {
  /** Index of the first in its list. */
  first: number;
  /** What is to be under the list's floor before the piece can be forgotten. */
  last: number;
  /** Time and order of each, in turn. */
  stamps: Float64Array;
  /** The values, when all are numbers. */
  numbers: Float64Array | null;
  /** The values as a JSON list, when not. */
  texts: string | null;
}

export function encode({ first, last, stamps, values, from, to }: Span): Piece {
  const piece = { first, last, stamps: stamps.slice(2 * from, 2 * to), numbers: null, texts: null };
  const numbers = new Float64Array(to - from);
  for (let slot = from; slot < to; slot += 1) {
    const value = values[slot];
    if (typeof value !== 'number') return { ...piece, texts: jsonText(values.slice(from, to)) };
    numbers[slot - from] = value;
  }
  return { ...piece, numbers };
}

export function decode({ first, last, stamps, numbers, texts }: Piece): Span {
  const values = numbers ? Array.from(numbers) : (JSON.parse(texts!) as unknown[]);
  return { first, last, stamps, values, from: 0, to: values.length };
}

/** What can be handed to another thread without a copy. */
export function buffersOf({ stamps, numbers }: Piece): ArrayBuffer[] {
  return [stamps, ...(numbers ? [numbers] : [])].map(({ buffer }) => buffer as ArrayBuffer);
}
