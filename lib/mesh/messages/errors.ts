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

/** Another host sends what no message can be. */
export class MalformedMessageError extends GaruaError {
  constructor(what: string) {
    super(
      'ERR_MESSAGES_MALFORMED',
      `${what} is malformed`,
      'Use the same version of garua on all hosts; revoke a host that goes on sending such messages.',
    );
  }
}

/** Another host sends more than it may before it has heard that it is in. */
export class WindowExceededError extends GaruaError {
  constructor(subscriber: string) {
    super(
      'ERR_MESSAGES_WINDOW_EXCEEDED',
      `more messages for ${subscriber} came than may be under way`,
      'Use the same version of garua on all hosts; revoke a host that goes on sending too much.',
    );
  }
}
