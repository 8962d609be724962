/** What a case measured; `.bench/results.json` is a record of these by case name. */
export type CaseResult = PullsResult | FactsResult;

interface AnyResult {
  name: string;
  title: string;
  /** ISO 8601. */
  date: string;
  bars: Bar[];
}

/** Pull times of several pullers, taken in turn. */
export interface PullsResult extends AnyResult {
  kind: 'pulls';
  image: { name: string; layers: number; compressed: number; unpacked: number };
  link: string;
  storage: string;
  /** Ratios are to this row's median. */
  baseline: string;
  rows: PullRow[];
}

export interface PullRow {
  puller: string;
  version: string;
  samples: PullSample[];
  /** Why there is no number: not installed, or it failed. */
  problem?: string;
}

export interface PullSample {
  seconds: number;
  /** Seconds until a `sync` of the file system after the pull has ended: what a power cut cannot undo. */
  durableSeconds: number;
}

/** Anything else: bytes, milliseconds. */
export interface FactsResult extends AnyResult {
  kind: 'facts';
  facts: Fact[];
}

export interface Fact {
  what: string;
  value: number;
  unit: string;
  note?: string;
}

/** What the project promises, and what it kept. */
export interface Bar {
  claim: string;
  value: number;
  limit: number;
  unit: string;
}

export function isMet(bar: Bar): boolean {
  return bar.value <= bar.limit;
}
