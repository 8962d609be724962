import type { OperatorRuntime } from '../runtime';

/** A host of the fog, as the owner sees it. */
export interface ViewedHost {
  peerId: string;
  name: string;
  site: string;
  isUp: boolean;
  /** From the owner, in ms; 0 for itself, null while it was not measured. */
  roundTripMs: number | null;
}

/** What an owner sees of its fog, and how it reaches it. */
export interface FogView {
  /** The owner's own host. */
  readonly self: { peerId: string; name: string; site: string };
  hosts(): ViewedHost[];
  /** Calls the listener when a host comes, also when it comes back. @returns undoes it */
  onUp(listener: () => void): () => void;
  runtime(peerId: string): OperatorRuntime;
  /** Sites whose hosts subscribe to a topic. */
  sitesHearing(topic: string): Promise<string[]>;
  /** From now on what this host publishes for the operator waits. */
  expectSubscriber(subscriber: string): Promise<void>;
  /** Drops what waits here for a subscriber that is no more. */
  forgetSubscriber(subscriber: string): Promise<void>;
}
