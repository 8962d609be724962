import { InvalidArgumentError, parseSize } from '../../../lib/base';

/** What the dialog leaves empty is absent from the spec, so that the library's defaults count. */
export function isEmpty(value: unknown): value is undefined | null | '' {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

export function textOf(value: unknown): string | undefined {
  return isEmpty(value) ? undefined : String(value).trim();
}

/** @throws {InvalidArgumentError} */
export function numberOf(what: string, value: unknown): number | undefined {
  if (isEmpty(value)) return undefined;
  const number = typeof value === 'number' ? value : Number(String(value).trim().replace(',', '.'));
  if (!Number.isFinite(number)) {
    throw new InvalidArgumentError(`${what} is "${value}", which is no number`, 'Write it in digits.');
  }
  return number;
}

/** Milliseconds, from seconds. @throws {InvalidArgumentError} */
export function millisecondsOf(what: string, value: unknown): number | undefined {
  const seconds = numberOf(what, value);
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}

/** Bytes, or undefined for no limit. @throws {InvalidArgumentError} */
export function sizeOf(value: unknown): number | undefined {
  return isEmpty(value) ? undefined : parseSize(value as string | number);
}

/** Words between commas and spaces. */
export function listOf(value: unknown): string[] | undefined {
  const words = isEmpty(value)
    ? []
    : String(value)
        .split(/[\s,]+/)
        .filter(Boolean);
  return words.length > 0 ? words : undefined;
}

/** @throws {InvalidArgumentError} */
export function oneOf<T extends string>(what: string, values: readonly T[], value: unknown): T | undefined {
  if (isEmpty(value)) return undefined;
  const found = values.find((candidate) => candidate === value);
  if (!found)
    throw new InvalidArgumentError(`"${value}" is not a ${what}`, `Use one of ${values.join(', ')}.`);
  return found;
}

/** Rows with a name; undefined when there are none. */
export function recordOf(
  rows: { key: string; value: string }[] | undefined,
): Record<string, string> | undefined {
  const named = (rows ?? []).filter(({ key }) => !isEmpty(key));
  if (named.length === 0) return undefined;
  return Object.fromEntries(named.map(({ key, value }) => [String(key).trim(), String(value ?? '')]));
}

/** Without the fields that are undefined. */
export function present<T extends object>(fields: T): T {
  const filled = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(filled) as T;
}
