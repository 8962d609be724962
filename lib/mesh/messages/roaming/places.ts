/**
 * What stands in place of a peer ID in a queue of a roaming subscriber that belongs to no other host now. Those that
 * begin with a dash take no messages.
 */
export const ASIDE = {
  /** A sender's queue while no holder is known: what is published waits in it. */
  nowhere: '',
  /** The sender's queue of the holder itself, whose messages go straight to the consumer. */
  resting: '-resting',
  /** The consumer's queue, handed off, until the next holder has it. */
  handedOff: '-handed-off',
  /** A consumer's queue that is being fetched. */
  arriving: '-arriving',
  /** Keeps the epoch of a subscriber that was forgotten. */
  gone: '-gone',
} as const;

/** Whether a queue takes what is published. */
export const takesMessages = ({ peer }: { peer: string }): boolean => !peer.startsWith('-');

/** Whether a queue belongs to a host. */
export const hasHost = (queue: { peer: string }): boolean =>
  takesMessages(queue) && queue.peer !== ASIDE.nowhere;

/** Whether people want to hear of a queue. */
export const isShown = (queue: { peer: string }): boolean =>
  takesMessages(queue) || queue.peer === ASIDE.handedOff;
