/** Chooses keys; where it is absent, all that a node keeps is meant. */
export type KeyChoice = (key: string) => boolean;

/**
 * A Node-RED node that moves with its state: the runtime asks the node object itself for these methods. While one of
 * them runs, no message is under way in the flow of the operator.
 */
export interface Snapshottable {
  /** The state of the chosen keys. The node keeps it until `forget`. */
  snapshot(choose?: KeyChoice): Promise<Uint8Array>;
  /** Adds a state to what the node has. @throws when it cannot be read, and changes nothing then */
  restore(state: Uint8Array): Promise<void>;
  /** Drops the state of the chosen keys, without any output. */
  forget(choose?: KeyChoice): Promise<void>;
}
