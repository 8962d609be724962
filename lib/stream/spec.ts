import { AGGREGATES, makeColumn } from './aggregates';
import { StreamSpecError } from './errors';
import type { AggregateSpec, WindowSpec, WindowType } from './stream';

export const WINDOW_TYPES: readonly WindowType[] = ['tumbling', 'hopping', 'sliding', 'session', 'count'];

const PROPERTIES = [
  'type',
  'size',
  'slide',
  'gap',
  'offset',
  'count',
  'step',
  'time',
  'outOfOrderness',
  'idleTimeout',
  'maxAhead',
  'allowedLateness',
  'early',
  'emptyWindows',
  'accumulation',
  'aggregates',
];
const AGGREGATE_PROPERTIES = ['op', 'field', 'as', 'q', 'k', 'expr', 'z', 'above', 'below', 'history'];

type Properties = Record<string, unknown>;

/**
 * Checks a specification and fills in the defaults.
 *
 * @throws {StreamSpecError} naming the property
 */
export function parseWindowSpec(input: unknown): WindowSpec {
  const spec = properties(input, 'the specification', PROPERTIES);
  const type = choice(spec, 'type', WINDOW_TYPES);
  if (!type) throw new StreamSpecError('type is missing', `Use one of ${WINDOW_TYPES.join(', ')}.`);
  const size = whole(spec, 'size', 1, type === 'tumbling' || type === 'hopping' || type === 'sliding') ?? 0;
  const slide = whole(spec, 'slide', 1, type === 'hopping') ?? size;
  if (type === 'hopping' && slide > size) {
    throw new StreamSpecError(
      `slide (${slide}) is larger than size (${size})`,
      'Events between windows would be lost: choose a slide of at most the size.',
    );
  }
  const early = spec.early === undefined ? {} : properties(spec.early, 'early', ['every', 'events']);
  const count = whole(spec, 'count', 1, type === 'count') ?? 0;
  return {
    type,
    size,
    slide: type === 'hopping' ? slide : size,
    gap: whole(spec, 'gap', 1, type === 'session') ?? 0,
    offset: whole(spec, 'offset', Number.MIN_SAFE_INTEGER) ?? 0,
    count,
    step: whole(spec, 'step', 1) ?? count,
    time: choice(spec, 'time', ['event', 'processing'] as const) ?? 'event',
    outOfOrderness: whole(spec, 'outOfOrderness', 0),
    idleTimeout: whole(spec, 'idleTimeout', 1),
    maxAhead: whole(spec, 'maxAhead', 0),
    allowedLateness: whole(spec, 'allowedLateness', 0) ?? 0,
    early: { every: whole(early, 'every', 1), events: whole(early, 'events', 1) },
    emptyWindows: flag(spec, 'emptyWindows'),
    accumulation: choice(spec, 'accumulation', ['discarding', 'accumulating'] as const) ?? 'discarding',
    aggregates: aggregates(spec.aggregates),
  };
}

/** Two specifications with the same fingerprint can continue each other's state. */
export function fingerprint(spec: WindowSpec): string {
  return JSON.stringify(spec);
}

function aggregates(input: unknown): AggregateSpec[] {
  if (input === undefined) return [];
  if (!Array.isArray(input)) throw new StreamSpecError('aggregates is not a list');
  const specs = input.map(aggregate);
  const names = specs.map((spec) => spec.as ?? spec.op);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new StreamSpecError(`two aggregates are called "${twice}"`, 'Give each its own name with "as".');
  }
  return specs;
}

function aggregate(input: unknown): AggregateSpec {
  const spec = properties(input, 'an aggregate', AGGREGATE_PROPERTIES);
  const op = choice(spec, 'op', AGGREGATES);
  if (!op) throw new StreamSpecError('an aggregate has no op', `Use one of ${AGGREGATES.join(', ')}.`);
  const q = number(spec, 'q', 0, 1);
  if (op === 'quantile' && q === undefined) throw new StreamSpecError('quantile needs q, from 0 to 1');
  const k = whole(spec, 'k', 1, op === 'topk');
  const expr = text(spec, 'expr');
  if (op === 'jsonata' && expr === undefined) throw new StreamSpecError('jsonata needs expr');
  const as = text(spec, 'as');
  if (as === '__proto__') throw new StreamSpecError('an aggregate cannot be called __proto__');
  const checked = {
    op,
    field: text(spec, 'field'),
    as,
    q,
    k,
    expr,
    z: number(spec, 'z', 0),
    above: number(spec, 'above'),
    below: number(spec, 'below'),
    history: whole(spec, 'history', 2),
  };
  const given = Object.fromEntries(Object.entries(checked).filter(([, value]) => value !== undefined));
  // Wrong expressions are found here, not at the first event.
  makeColumn(given as unknown as AggregateSpec);
  return given as unknown as AggregateSpec;
}

/** An object's properties, null ones left out, once it is sure that all of them mean something. */
function properties(input: unknown, what: string, known: readonly string[]): Properties {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) {
    throw new StreamSpecError(`${what} is not an object`);
  }
  const unknown = Object.keys(input).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new StreamSpecError(`${what} has an unknown property "${unknown}"`, `Known: ${known.join(', ')}.`);
  }
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
}

function whole(spec: Properties, name: string, minimum: number, required = false): number | undefined {
  const value = spec[name];
  if (value === undefined && required) throw new StreamSpecError(`${name} is missing`);
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < minimum) {
    const range = minimum === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${minimum}`;
    throw new StreamSpecError(`${name} is ${JSON.stringify(value)}, not a whole number${range}`);
  }
  return value as number;
}

function number(
  spec: Properties,
  name: string,
  minimum = Number.NEGATIVE_INFINITY,
  maximum = Number.POSITIVE_INFINITY,
): number | undefined {
  const value = spec[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < minimum || value > maximum) {
    throw new StreamSpecError(`${name} is ${JSON.stringify(value)}, which is not a number in its range`);
  }
  return value;
}

function text(spec: Properties, name: string): string | undefined {
  const value = spec[name];
  if (value !== undefined && typeof value !== 'string') {
    throw new StreamSpecError(`${name} is ${JSON.stringify(value)}, not a text`);
  }
  return value as string | undefined;
}

function flag(spec: Properties, name: string): boolean {
  const value = spec[name];
  if (value !== undefined && typeof value !== 'boolean') {
    throw new StreamSpecError(`${name} is ${JSON.stringify(value)}, not true or false`);
  }
  return value === true;
}

function choice<T extends string>(spec: Properties, name: string, values: readonly T[]): T | undefined {
  const value = spec[name];
  if (value === undefined) return undefined;
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) {
    throw new StreamSpecError(`${name} is ${JSON.stringify(value)}`, `Use one of ${values.join(', ')}.`);
  }
  return found;
}
