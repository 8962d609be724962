import type { ErrorDocument, Progress } from '../../base';
import type { PlacementAnswer, PlacementModel } from '../placement';

/** What the solver's thread is started with. */
export interface Job {
  /** A document still to be checked, or its text. */
  model: PlacementModel | string;
  exact: boolean;
  seed: number;
  seconds: number | undefined;
  evaluations: number | undefined;
  wantsProgress: boolean;
}

/** What the thread says. An `incumbent` is the answer to give if nothing more comes. */
export type Report =
  | { kind: 'progress'; progress: Progress }
  | { kind: 'incumbent'; answer: PlacementAnswer }
  | { kind: 'answer'; answer: PlacementAnswer }
  | { kind: 'failure'; error: ErrorDocument };
