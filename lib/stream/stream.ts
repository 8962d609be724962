/**
 * Windows over streams, after the Dataflow model (Akidau et al., VLDB 2015): what this module promises.
 *
 * A `WindowEngine` takes one input at a time and answers with panes and with events that came too late.
 * It is event-driven and deterministic: time moves only by what it is told, so the same inputs give the
 * same outputs to the byte. All times are milliseconds.
 */

/** One measurement, as it came. Extra properties are kept and come out again when the event is late. */
export interface StreamEvent {
  /** When it happened. Ignored in processing time, where the clock's value counts. */
  time?: number;
  /** Default `""`. */
  key?: string;
  value?: unknown;
  /** Who sent it: each source has its own watermark. Default `""`. */
  source?: string;
}

export type WindowType = 'tumbling' | 'hopping' | 'sliding' | 'session' | 'count';

/** One aggregate of a pane. */
export interface AggregateSpec {
  op: string;
  /** Dotted path inside the value; absent: the value itself. */
  field?: string;
  /** Name in the pane's result. Default: `op`. */
  as?: string;
  /** quantile: 0 to 1. */
  q?: number;
  /** topk: how many. */
  k?: number;
  /** jsonata: the expression over the collected items. */
  expr?: string;
  /** anomaly: this many standard deviations from the key's earlier panes are abnormal. Default 3. */
  z?: number;
  /** anomaly: a mean above, or below, this is abnormal, whatever the history. */
  above?: number;
  below?: number;
  /** anomaly: panes of history before a z-score is given. Default 5. */
  history?: number;
}

/** What a caller writes; `parseWindowSpec` checks it. Absent is off. */
export interface WindowSpecInput {
  type: WindowType;
  size?: number;
  slide?: number;
  gap?: number;
  offset?: number;
  count?: number;
  step?: number;
  time?: 'event' | 'processing';
  outOfOrderness?: number;
  idleTimeout?: number;
  maxAhead?: number;
  allowedLateness?: number;
  early?: { every?: number; events?: number };
  emptyWindows?: boolean;
  accumulation?: 'discarding' | 'accumulating';
  aggregates?: AggregateSpec[];
}

/** A checked specification. `undefined` is off. */
export interface WindowSpec {
  readonly type: WindowType;
  readonly size: number;
  readonly slide: number;
  readonly gap: number;
  readonly offset: number;
  readonly count: number;
  readonly step: number;
  readonly time: 'event' | 'processing';
  readonly outOfOrderness: number | undefined;
  readonly idleTimeout: number | undefined;
  readonly maxAhead: number | undefined;
  readonly allowedLateness: number;
  readonly early: { readonly every: number | undefined; readonly events: number | undefined };
  readonly emptyWindows: boolean;
  readonly accumulation: 'discarding' | 'accumulating';
  readonly aggregates: readonly AggregateSpec[];
}

export type PaneKind = 'early' | 'on-time' | 'late';

/** One answer of one window. */
export interface Pane {
  key: string;
  start: number;
  end: number;
  pane: PaneKind;
  /** Counts the window's panes from 0; for count windows the key's panes. */
  index: number;
  /** Events in this pane. */
  count: number;
  result: Record<string, unknown>;
}

/**
 * Why an event is in no window: it came after its windows closed, lies too far in the future, or one of
 * the limits was reached.
 */
export type LateReason = 'late' | 'future' | 'limit';

export interface LateEvent {
  late: StreamEvent;
  reason: LateReason;
}

export type Output = Pane | LateEvent;

export function isLate(output: Output): output is LateEvent {
  return 'late' in output;
}

/**
 * Bounds on memory. An event that would pass one goes to the late output with reason `limit`: what is
 * already counted stays right, and nothing is dropped silently.
 */
export interface Limits {
  /** Keys; of sources as many, but at most 10,000. */
  keys?: number;
  /** Open windows over all keys. */
  windows?: number;
  /** Events kept one by one, over all keys: those of sliding and count windows, of collect and jsonata. */
  items?: number;
  /** A key that had no event for this long on the clock, and has no open window with events, is forgotten. */
  keyIdle?: number;
}

/** How full an engine is. */
export interface Fill {
  keys: number;
  windows: number;
  items: number;
}

/** Tells the time; injected, so that tests and replays decide what it says. */
export interface Clock {
  now(): number;
}

/** The whole state of an engine, as a JSON value: it may go into a file or to another host. */
export interface EngineState {
  version: 1;
  /** `fingerprint` of the specification it belongs to. */
  spec: string;
  meta: EngineMeta;
  keys: [key: string, record: unknown][];
}

/** What is not bound to a key. */
export interface EngineMeta {
  clock: number;
  order: number;
  watermark: WatermarkState;
}

export interface WatermarkState {
  /** null before any. */
  value: number | null;
  sources: [source: string, maximum: number, seenAt: number, idle: boolean][];
}
