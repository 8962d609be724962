import { GaruaError } from '../../base';

/** A subscriber's queue is full, and the publisher wants to hear of that. */
export class QueueFullError extends GaruaError {
  constructor(topic: string, subscriber: string, host: string) {
    super(
      'ERR_MESSAGES_QUEUE_FULL',
      `the queue of ${topic} for ${subscriber} on ${host} is full`,
      'Look at garua messages; wait until the host is there again, or forget the queue (garua messages forget).',
    );
  }
}
