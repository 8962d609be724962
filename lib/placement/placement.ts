import type { LongCall } from '../base';

/** A place that can run operators. */
export interface PlacementSite {
  id: string;
  /** Capacity in cores. */
  cpu: number;
  /** Capacity, in the unit in which operators state theirs. */
  memory: number;
  /** Price of one core; 1 when absent. */
  cost?: number | undefined;
}

/** A link between two sites; it serves both directions unless the reverse is listed too. */
export interface PlacementLink {
  from: string;
  to: string;
  latencyMs: number;
  /** Capacity of each direction; unlimited when absent. */
  bandwidthMbps?: number | undefined;
}

/** A piece of a flow that runs at one site. */
export interface PlacementOperator {
  id: string;
  cpu: number;
  memory: number;
  /** The only site where it may run. */
  pin?: string | undefined;
  /** The sites where it may run; all when absent. */
  allowed?: string[] | undefined;
}

/** Messages from one operator to another. */
export interface PlacementStream {
  from: string;
  to: string;
  /** Messages per second. */
  rate: number;
  /** Bytes per message. */
  bytes: number;
}

/** What matters how much. */
export interface PlacementWeights {
  latency: number;
  traffic: number;
  resources?: number | undefined;
}

/** The document that `garua place` reads. Properties that are not listed here are ignored. */
export interface PlacementModel {
  sites: PlacementSite[];
  links: PlacementLink[];
  operators: PlacementOperator[];
  /** A directed acyclic graph. */
  streams: PlacementStream[];
  weights: PlacementWeights;
  /** Where operators run now. */
  current?: Record<string, string> | undefined;
  /** What the objective pays for each operator that does not stay where it is. */
  moveCost?: number | undefined;
}

/** Operator id -> site id. */
export type Placement = Record<string, string>;

/** What a placement costs. */
export interface PlacementCost {
  objective: number;
  /** Longest path through the streams, in ms. */
  responseTimeMs: number;
  /** Bytes per second times milliseconds of distance. */
  traffic: number;
  /** Mean price of the cores in use. */
  resources: number;
}

/** A placement's cost, and whether it holds. */
export interface PlacementEvaluation extends PlacementCost {
  /** Operators whose site differs from `current`. */
  moves: number;
  feasible: boolean;
  /** The constraints that do not hold, in words. */
  violations: string[];
}

/** The document that `garua place` prints. */
export interface PlacementAnswer extends PlacementCost {
  placement: Placement;
  feasible: boolean;
  /** Whether it is proven that nothing is better. */
  optimal: boolean;
  /** No placement has a smaller objective than this; only with `exact`. */
  bound?: number;
  /** Which method found it. */
  solver: 'annealing' | 'branch-and-bound' | 'highs';
  seconds: number;
}

export interface PlaceOptions extends LongCall {
  /** Prove the optimum by mixed-integer programming, as far as `seconds` allow. */
  exact?: boolean | undefined;
  /** A non-negative integer; the same seed gives the same answer. Default 0. */
  seed?: number | undefined;
  /** Cuts the search. Annealing ends by its number of evaluations anyway; `exact` takes 60 by default. */
  seconds?: number | undefined;
  /** Placements that annealing looks at; by the size of the model when absent. */
  evaluations?: number | undefined;
}
