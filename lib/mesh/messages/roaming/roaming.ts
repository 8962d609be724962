import type { LongCall } from '../../../base';
import type { HostName } from '../../mesh';

/** Makes a host the holder of a roaming subscriber. */
export interface RoamOptions {
  /** Unique in the whole fog. */
  subscriber: string;
  /** Higher than any under which a host has held it before. */
  epoch: number;
}

export interface TakeOverOptions extends LongCall {
  /** The host that has handed it off. */
  from: HostName;
  epoch: number;
}

/** What a host knows of a roaming subscriber. */
export interface RoamingStatus {
  topic: string;
  subscriber: string;
  /** The highest that this host has heard of; 0 while no host has held it. */
  epoch: number;
  /**
   * `here`: this host holds it. `handed-off`: it did, and keeps what waits for the next holder. `elsewhere`: another
   * one does. `nowhere`: no host does now, as far as this one knows; what is published waits.
   */
  state: 'here' | 'handed-off' | 'elsewhere' | 'nowhere';
  /** The peer ID of the host that holds it; null when that is not known. */
  peerId: string | null;
  /** Messages that wait on this host, for the consumer or for the host that holds it. */
  waiting: number;
  bytes: number;
}

/**
 * Subscribers that move from host to host. The host with the highest epoch holds the queue of a name for the whole
 * fog; to consume it there, `subscribe` and `acknowledge` as always. Each sender keeps what that host has not
 * acknowledged, and brings it to the next. From publisher to consumer nothing is lost, nothing comes twice that was
 * acknowledged before the subscriber was handed off, and the order of each sender is kept.
 *
 * A move: `handOff` where it is, `takeOver` where it goes, `releaseSubscriber` where it was. Each may be repeated
 * until it answers. Where the other host has certainly not taken it over, `takeBack` undoes the first.
 */
export interface Roaming {
  /** From now on what this host publishes to the topic waits for the subscriber, also while no host holds it. */
  expectSubscriber(topic: string, subscriber: string): Promise<void>;
  /**
   * Makes this host the holder, with what it has of the queue.
   * @throws ERR_ROAMING_OUTDATED where a higher epoch is known, or the same one elsewhere
   */
  roam(topic: string, options: RoamOptions): Promise<RoamingStatus>;
  /**
   * Accepts and hands out nothing more for it; resolves when a power cut cannot undo that. What was not acknowledged
   * comes again at the next holder.
   * @throws ERR_ROAMING_NOT_HERE
   */
  handOff(subscriber: string): Promise<RoamingStatus>;
  /**
   * Fetches what another host has handed off, and holds it: all, or nothing when it fails.
   * @throws ERR_ROAMING_NOT_HERE when that host has not handed it off, ERR_ROAMING_OUTDATED
   */
  takeOver(subscriber: string, options: TakeOverOptions): Promise<RoamingStatus>;
  /** Holds again what this host has handed off. @throws ERR_ROAMING_NOT_HERE, ERR_ROAMING_OUTDATED */
  takeBack(subscriber: string, options: { epoch: number }): Promise<RoamingStatus>;
  /** Drops what this host has handed off, once another one holds it. Without such a copy it does nothing. */
  releaseSubscriber(subscriber: string): Promise<void>;
  /** The roaming subscribers that this host knows. */
  roaming(): Promise<RoamingStatus[]>;
}
