import type { NodeDef } from 'node-red';
import { InvalidArgumentError } from '../../lib/base';
import {
  type AggregateSpec,
  fingerprint,
  type Limits,
  parseWindowSpec,
  type WindowSpec,
} from '../../lib/stream';
import { parseDuration } from './duration';

/** One row of the dialog's list. `parameter` is q, k, the expression, or the anomaly's z. */
export interface AggregateRow {
  op: string;
  field?: string;
  as?: string;
  parameter?: string | number;
  /** anomaly: panes of history that are needed. */
  history?: string | number;
  above?: string | number;
  below?: string | number;
}

/** What the dialog stores. Everything may be absent. */
export interface WindowDef extends NodeDef {
  windowType?: string;
  size?: string;
  slide?: string;
  gap?: string;
  offset?: string;
  count?: string | number;
  step?: string | number;
  time?: string;
  /** Message property that holds the event's time. */
  timeProperty?: string;
  timeFormat?: string;
  outOfOrderness?: string;
  idleTimeout?: string;
  maxAhead?: string;
  allowedLateness?: string;
  earlyEvery?: string;
  earlyEvents?: string | number;
  emptyWindows?: boolean;
  accumulation?: string;
  key?: string;
  /** `none`: one window for all. */
  keyType?: string;
  /** Message property that holds the event's value. Default `payload`. */
  value?: string;
  /** Each topic is a source with its own watermark. Default true. */
  sourceByTopic?: boolean;
  aggregates?: AggregateRow[];
  maxKeys?: string | number;
  maxWindows?: string | number;
  maxItems?: string | number;
  keyIdle?: string;
  /** Keep the state over restarts. Default true. */
  durable?: boolean;
}

export type TimeFormat = 'ms' | 's' | 'iso';

export interface WindowSettings {
  spec: WindowSpec;
  limits: Required<Limits>;
  time: { property: string; format: TimeFormat } | undefined;
  key: { type: 'none' } | { type: 'msg' | 'jsonata'; text: string };
  valueProperty: string;
  sourceByTopic: boolean;
  durable: boolean;
  /** State saved under another one is of no use. */
  fingerprint: string;
}

/**
 * Checks the dialog's values.
 *
 * @throws {InvalidArgumentError} {StreamSpecError}
 */
export function readSettings(definition: WindowDef): WindowSettings {
  const type = definition.windowType ?? 'tumbling';
  const uses = (...types: string[]) => types.includes(type);
  const eventTime = definition.time === 'event';
  // A field of another type of window is kept by the dialog, but means nothing.
  const spec = parseWindowSpec({
    type,
    size: uses('tumbling', 'hopping', 'sliding') ? duration(definition, 'size', '1 min') : undefined,
    slide: uses('hopping') ? duration(definition, 'slide') : undefined,
    gap: uses('session') ? duration(definition, 'gap') : undefined,
    offset: uses('tumbling', 'hopping') ? duration(definition, 'offset') : undefined,
    count: uses('count') ? number('count', definition.count) : undefined,
    step: uses('count') ? number('step', definition.step) : undefined,
    time: eventTime ? 'event' : 'processing',
    outOfOrderness: eventTime ? duration(definition, 'outOfOrderness') : undefined,
    idleTimeout: eventTime ? duration(definition, 'idleTimeout') : undefined,
    maxAhead: eventTime ? duration(definition, 'maxAhead') : undefined,
    allowedLateness: eventTime ? duration(definition, 'allowedLateness') : undefined,
    early: uses('tumbling', 'hopping', 'session')
      ? { every: duration(definition, 'earlyEvery'), events: number('earlyEvents', definition.earlyEvents) }
      : undefined,
    emptyWindows: uses('tumbling', 'hopping') && definition.emptyWindows === true,
    accumulation: definition.accumulation || undefined,
    aggregates: (definition.aggregates ?? [{ op: 'count' }, { op: 'mean' }]).map(aggregate),
  });
  const settings = {
    time: eventTime
      ? {
          property: definition.timeProperty?.trim() || 'payload.time',
          format: timeFormat(definition.timeFormat),
        }
      : undefined,
    key: keyOf(definition),
    valueProperty: definition.value?.trim() || 'payload',
    sourceByTopic: definition.sourceByTopic ?? true,
  };
  return {
    spec,
    ...settings,
    limits: {
      keys: number('maxKeys', definition.maxKeys) ?? 10_000,
      windows: number('maxWindows', definition.maxWindows) ?? 100_000,
      items: number('maxItems', definition.maxItems) ?? 1_000_000,
      keyIdle: Math.max(1_000, duration(definition, 'keyIdle', '1 d')!),
    },
    durable: definition.durable ?? true,
    fingerprint: `${fingerprint(spec)}${JSON.stringify(settings)}`,
  };
}

function duration(definition: WindowDef, name: keyof WindowDef, fallback?: string): number | undefined {
  return parseDuration(name, definition[name] || fallback);
}

function number(what: string, value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const parsed = Number(value);
  if (Number.isFinite(parsed)) return parsed;
  throw new InvalidArgumentError(`${what} is "${value}", which is no number`);
}

function keyOf({ key = '', keyType = 'none' }: WindowDef): WindowSettings['key'] {
  const text = key.trim();
  if (keyType === 'msg' || keyType === 'jsonata') {
    if (text === '')
      throw new InvalidArgumentError('the key is empty', 'Name a property, or choose "no key".');
    return { type: keyType, text };
  }
  return { type: 'none' };
}

function timeFormat(value = 'ms'): TimeFormat {
  if (value === 'ms' || value === 's' || value === 'iso') return value;
  throw new InvalidArgumentError(`"${value}" is not a time format`, 'Use one of ms, s, iso.');
}

function aggregate({ op, field, as, parameter, history, above, below }: AggregateRow): AggregateSpec {
  const spec: AggregateSpec = { op };
  if (field?.trim()) spec.field = field.trim();
  if (as?.trim()) spec.as = as.trim();
  if (op === 'quantile') spec.q = number('q', parameter) ?? 0.5;
  if (op === 'topk') spec.k = number('k', parameter) ?? 10;
  if (op === 'jsonata') spec.expr = String(parameter ?? '');
  if (op !== 'anomaly') return spec;
  spec.z = number('z', parameter) ?? 3;
  for (const [name, value] of Object.entries({ history, above, below })) {
    const given = number(name, value);
    if (given !== undefined) spec[name as 'history' | 'above' | 'below'] = given;
  }
  return spec;
}
