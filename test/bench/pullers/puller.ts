import type { Measured } from '../harness/processes';

export type Availability = { version: string } | { missing: string };

/** What every puller is made with. */
export interface PullerSetting {
  /** A folder of its own, on the storage under test. */
  folder: string;
  /** `host:port` of the registry, which speaks plain HTTP. */
  registry: string;
}

/** A program that pulls images. All are driven through this, ours as well. */
export interface Puller {
  readonly name: string;
  /** Its version, or why this machine cannot run it. */
  available(): Promise<Availability>;
  /** Leaves an empty data-root and, for those that have one, a daemon that is up. Not timed. */
  prepare(): Promise<void>;
  /** Pulls into that data-root; the time is that of the command, from start to end. */
  pull(ref: string): Promise<Measured>;
  /** Stops what `prepare` started and removes the data. */
  cleanup(): Promise<void>;
}
