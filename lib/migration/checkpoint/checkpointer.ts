import type { Arrival, Departure, DumpOptions, DumpTimes, TimedCall } from '../../container';

/** What an engine needs of a host so that a checkpoint made on one can go on on another. */
export interface CheckpointFacts {
  /** Of the checkpoint engine, such as `criu`. */
  engine: string;
  engineVersion: string;
  /** As process.arch has it. */
  architecture: string;
  /** Release of the kernel, such as `6.12.34`. */
  kernel: string;
  /** What the processor can do, by the kernel's names, sorted. */
  cpuFeatures: string[];
}

/**
 * Writes a running container's processes into a folder and brings them back, here or elsewhere. Nothing in it is
 * particular to one program that does so: CRIU works from outside through the kernel, another may work from inside.
 */
export interface Checkpointer {
  readonly name: string;
  /** What this host offers. @throws {CheckpointUnsupportedError} when it cannot do it at all */
  facts(): Promise<CheckpointFacts>;
  /** In words, all reasons why this container cannot be checkpointed; none when it can. */
  check(container: Departure): Promise<string[]>;
  /** In words, all reasons why a checkpoint of another host, or of another time, cannot go on here. */
  compare(from: CheckpointFacts): Promise<string[]>;
  /**
   * Writes the processes into the folder. The container is frozen afterwards, and runs on when this fails.
   *
   * @throws {CheckpointRefusedError} with the reasons of `check` {CheckpointFailedError} {CheckpointTimeoutError}
   */
  checkpoint(container: Departure, folder: string, options?: DumpOptions): Promise<DumpTimes>;
  /** Brings back what lies in the arrival's `images`. @throws {RestoreFailedError} {CheckpointTimeoutError} */
  restore(container: Arrival, options?: TimedCall): Promise<void>;
}
