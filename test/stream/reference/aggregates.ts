import type { AggregateSpec } from '../../../lib/stream';
import type { Arrival } from './reference';

/** An aggregate of a list of events, the slow way. */
export function aggregate({ op, field, q, k }: AggregateSpec, events: Arrival[]): unknown {
  const ordered = [...events].sort((a, b) => a.time - b.time || a.id - b.id);
  const values = ordered.map(({ value }) => read(value, field));
  const numbers = values.filter((value) => typeof value === 'number' && Number.isFinite(value)) as number[];
  // The generator's numbers are multiples of 1/4, so plain sums of them are exact.
  const sum = numbers.reduce((total, value) => total + value, 0);
  const mean = numbers.length === 0 ? null : sum / numbers.length;
  switch (op) {
    case 'count':
      return events.length;
    case 'sum':
      return sum;
    case 'mean':
      return mean;
    case 'min':
      return numbers.length === 0 ? null : Math.min(...numbers);
    case 'max':
      return numbers.length === 0 ? null : Math.max(...numbers);
    case 'stddev':
      if (numbers.length < 2) return null;
      return Math.sqrt(numbers.reduce((m2, value) => m2 + (value - mean!) ** 2, 0) / (numbers.length - 1));
    case 'first':
      return values[0] ?? null;
    case 'last':
      return values.at(-1) ?? null;
    case 'collect':
      return values.map((value) => value ?? null);
    case 'distinct':
      return new Set(values.map((value) => JSON.stringify(value ?? null))).size;
    case 'quantile':
      return numbers.length === 0
        ? null
        : [...numbers].sort((a, b) => a - b)[Math.floor(q! * (numbers.length - 1))]!;
    case 'topk':
      return topk(values.map((value) => JSON.stringify(value ?? null))).slice(0, k);
    default:
      throw new Error(`the reference has no ${op}`);
  }
}

function topk(texts: string[]): { value: unknown; count: number }[] {
  const different = [...new Set(texts)].map((text) => ({
    text,
    count: texts.filter((other) => other === text).length,
  }));
  different.sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1));
  return different.map(({ text, count }) => ({ value: JSON.parse(text), count }));
}

function read(value: unknown, field: string | undefined): unknown {
  let inner = value;
  for (const name of field?.split('.') ?? []) inner = (inner as Record<string, unknown> | null)?.[name];
  return inner;
}
