import { invalidField } from '../errors';

/** Checks one field of unknown origin. @throws {InvalidArgumentError} naming the field */
export type FieldCheck = (value: unknown, field: string) => void;

/** A text that is not empty. */
export function text(value: unknown, field: string): asserts value is string {
  if (typeof value !== 'string') throw invalidField(field, 'is not text');
  if (value === '') throw invalidField(field, 'is empty');
  if (value.includes('\0')) throw invalidField(field, 'holds a NUL character');
}

/** A list of texts, of which only the first may not be empty. */
export function textList(value: unknown, field: string): asserts value is string[] {
  list(value, field).forEach((item, index) => {
    if (item !== '' || index === 0) text(item, `${field}[${index}]`);
  });
}

export function textRecord(value: unknown, field: string): asserts value is Record<string, string> {
  for (const [key, item] of Object.entries(object(value, field))) {
    text(key, `${field} name`);
    if (item !== '') text(item, `${field}.${key}`);
  }
}

export function absolutePath(value: unknown, field: string): asserts value is string {
  text(value, field);
  if (!value.startsWith('/')) throw invalidField(field, `"${value}" is not an absolute path`);
  if (value.split('/').includes('..')) throw invalidField(field, `"${value}" holds ".."`);
}

export function matching(pattern: RegExp, problem: string): FieldCheck {
  return (value, field) => {
    text(value, field);
    if (!pattern.test(value)) throw invalidField(field, `"${value}" ${problem}`);
  };
}

export function oneOf(values: readonly string[]): FieldCheck {
  return (value, field) => {
    if (!values.includes(value as string))
      throw invalidField(field, `"${value}" is none of ${values.join(', ')}`);
  };
}

export function boolean(value: unknown, field: string): void {
  if (typeof value !== 'boolean') throw invalidField(field, 'is neither true nor false');
}

export function wholeNumber(minimum: number, maximum: number, what: string): FieldCheck {
  return (value, field) => {
    if (!Number.isSafeInteger(value) || (value as number) < minimum || (value as number) > maximum) {
      throw invalidField(field, `${value} is not ${what} (${minimum} to ${maximum})`);
    }
  };
}

export function list(value: unknown, field: string): unknown[] {
  if (!Array.isArray(value)) throw invalidField(field, 'is not a list');
  return value;
}

export function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidField(field, 'is not a set of names with values');
  }
  return value as Record<string, unknown>;
}

/** Checks an object's fields, each by its own check; a field that has none is refused. */
export function fields(value: unknown, field: string, checks: Record<string, FieldCheck>): void {
  for (const [name, item] of Object.entries(object(value, field))) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check) throw invalidField(`${field}.${name}`, 'is not a known field');
    if (item !== undefined) check(item, `${field}.${name}`);
  }
}
