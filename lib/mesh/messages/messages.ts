import type { LongCall } from '../../base';
import type { HostName } from '../mesh';
import type { Roaming } from './roaming/roaming';

/** The largest message, in bytes of its text. */
export const MAXIMUM_BODY = 16 << 20;

/** What to do with a message for a subscriber whose queue is full. */
export type QueuePolicy = 'drop-oldest' | 'drop-newest' | 'refuse';

export interface PublishOptions extends LongCall {
  /** Default `drop-oldest`. What is dropped is counted. */
  policy?: QueuePolicy | undefined;
  /** The most messages that may wait for one subscriber. Default 10,000. */
  maximumMessages?: number | undefined;
  /** The most bytes that may wait for one subscriber. Default 64 MiB. */
  maximumBytes?: number | undefined;
  /** Whether subscribers that come later get it too, until a newer one is kept. Default false. */
  retain?: boolean | undefined;
}

export interface PublishResult {
  /** Subscribers that get the message, on all hosts. */
  subscribers: number;
  /** Messages of this topic that wait on this host for other hosts, the new ones included. */
  waiting: number;
  /** Messages that had to be dropped for the new ones, or were dropped themselves. */
  dropped: number;
}

export interface SubscribeOptions {
  /** Names the subscriber on this host for good: what comes while it is away waits for it under this name. */
  subscriber: string;
  /** Whether a new subscriber first gets the value that was retained last. Default true. */
  retained?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** A message as a subscriber gets it. */
export interface Message {
  topic: string;
  /** What was published. */
  body: string;
  /** The host that published it, and its site. */
  host: string;
  site: string;
  peerId: string;
  /** When it was published, in ms since the epoch by the clock of its host. */
  time: number;
  /** Whether it was published before the subscriber was there, and retained. */
  retained: boolean;
  /** Names the queue that it comes from: another one when the subscriber was forgotten in between. */
  queue: string;
  /** Its place in that queue, growing, for `acknowledge`. */
  sequence: number;
}

/** What waits on this host for one subscriber. */
export interface QueueStatus {
  topic: string;
  subscriber: string;
  /** This host. */
  from: string;
  /** The subscriber's host, and its site. */
  to: string;
  site: string;
  peerId: string;
  /** Messages that are not acknowledged. */
  waiting: number;
  bytes: number;
  /** Messages that were dropped since the queue was made, because it was full. */
  dropped: number;
  /** When the oldest one that waits was published, ISO 8601; null when none waits. */
  oldest: string | null;
}

/** Which queues to forget: those that fit all that is given. */
export interface QueueChoice {
  topic?: string | undefined;
  subscriber?: string | undefined;
  to?: HostName | undefined;
}

/**
 * Messages between the hosts of a fog by topic. Each host knows the subscribers of all, also of those that
 * are cut off: a published message waits on its host's disk, once per subscriber, until the subscriber's host
 * has it on its own disk; there it waits until the subscriber has acknowledged it. Messages of one host reach
 * a subscriber in their order, and repeats on the way are dropped.
 */
export interface Messages extends Roaming {
  /**
   * Sends a message, or several in their order, to all subscribers of a topic. It is on its way at once;
   * resolves when it is on this host's disk, and reports progress `queued` when its place in the order is taken.
   *
   * @throws ERR_MESH_MESSAGE_TOO_LARGE, ERR_MESSAGES_QUEUE_FULL (policy `refuse`), ERR_DISK_FULL
   */
  publish(topic: string, body: string | string[], options?: PublishOptions): Promise<PublishResult>;
  /**
   * Messages of a topic, until the signal fires or the same subscriber is opened again. Those that were not
   * acknowledged come again the next time. A name that had another topic leaves that.
   */
  subscribe(topic: string, options: SubscribeOptions): AsyncIterable<Message>;
  /** The subscriber is done with these messages. */
  acknowledge(subscriber: string, sequences: number[]): Promise<void>;
  /** What waits on this host, for subscribers here and elsewhere. */
  queues(): Promise<QueueStatus[]>;
  /**
   * Drops queues and what waits in them. A subscriber of this host, also one that it has handed off, is forgotten by
   * all; one of another host gets no more messages from here until its host announces its subscribers anew. Where
   * only a topic is given, the value that is retained of it on this host goes too.
   */
  forgetQueue(choice: QueueChoice): Promise<QueueStatus[]>;
}
