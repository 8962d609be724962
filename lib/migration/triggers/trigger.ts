/** A host of the fog that is up, and how busy it is. */
export interface ViewedHost {
  name: string;
  peerId: string;
  site: string;
  /** As `process.arch`; a container stays with its kind of processor. */
  arch: string;
  /** Cores, and those that were idle lately. */
  cpus: number;
  freeCpus: number;
  /** Bytes, and those that processes could still get. */
  memory: number;
  freeMemory: number;
}

/** A container that runs here. */
export interface ViewedContainer {
  name: string;
  service: string | null;
  labels: Record<string, string>;
  /** From the label `garua.priority`; 0 without one. */
  priority: number;
  /** Cores and bytes that it uses. */
  cpus: number;
  memory: number;
  /** Names of hosts that it could not move to lately. */
  avoids: readonly string[];
  /** Not while it moves, or rests from a move or a failed one. */
  mayMove: boolean;
}

/** What a host sees of itself and of its fog in one moment. */
export interface FogView {
  self: ViewedHost;
  /** The other hosts that are up and have told how they are. */
  others: ViewedHost[];
  containers: ViewedContainer[];
  /** In words, why this host had better be left: too low a voltage, a failing disk. */
  troubles: string[];
  /**
   * Milliseconds from each site to the user who is followed; none for a site that does not reach it, and null where
   * that was not measured yet.
   */
  latencies: Record<string, number | null>;
}

/** A container is to go to another host. */
export interface Decision {
  container: string;
  /** Name of the host. */
  to: string;
  /** In words. */
  reason: string;
}

/**
 * When containers move by themselves. It is shown the view every few seconds and remembers what it needs of earlier
 * ones. `now`: milliseconds of a clock that never goes back.
 */
export interface Trigger {
  decide(view: FogView, now: number): Decision | undefined;
}
