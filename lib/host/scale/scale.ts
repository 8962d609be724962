import type { LongCall } from '../../base';
import type { InstanceState } from '../services';

export interface ScaleOptions extends LongCall {
  /** How many instances there are to be in the fog; 0 removes all of them. */
  replicas: number;
  /** Sites that they may run at. Default: all of the fog. */
  sites?: string[] | undefined;
  /** How long connections of an instance that is removed, or replaced, may go on, in milliseconds. Default 10,000. */
  drainMs?: number | undefined;
  /** How long its program may take to end then, in milliseconds. Default 10,000. */
  graceMs?: number | undefined;
}

/** One container of the service. */
export interface ScaledInstance {
  container: string;
  /** The name of the host it runs on. */
  host: string;
  site: string;
  state: InstanceState;
}

/** The document of `garua scale --json`. */
export interface ScaleResult {
  name: string;
  service: string;
  replicas: number;
  /** By site and host. */
  instances: ScaledInstance[];
  /** In words, which hosts could not be asked: an instance there is not counted. Absent when all were. */
  missing?: string[];
}
