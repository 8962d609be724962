import { formatSize, GaruaError } from '../../lib/base';

/** A node holds as many messages as it may: the host that it hands them to is slow, or hangs. */
export class BacklogFullError extends GaruaError {
  constructor(limit: string) {
    super(
      'ERR_BACKLOG_FULL',
      `${limit} wait in this node already`,
      'Look why the host does not keep up (garua doctor), or send fewer messages.',
    );
  }
}

/** What a node holds at most. */
export interface BacklogLimits {
  messages: number;
  /** Bytes of what is known of them. Default: any. */
  bytes?: number;
}

/** Counts the messages that a node has taken and is not done with, and lets no more in than it may hold. */
export class Backlog {
  readonly #limits: Required<BacklogLimits>;
  #messages = 0;
  #bytes = 0;

  constructor({ messages, bytes = Number.POSITIVE_INFINITY }: BacklogLimits) {
    this.#limits = { messages, bytes };
  }

  /** Does the work for one message, which counts until it is done. @throws {BacklogFullError} */
  async hold<T>(work: (place: Place) => Promise<T>): Promise<T> {
    if (this.#messages >= this.#limits.messages)
      throw new BacklogFullError(`${this.#limits.messages} messages`);
    this.#messages += 1;
    let held = 0;
    const grow = (bytes: number) => {
      const { bytes: limit } = this.#limits;
      if (this.#bytes + bytes > limit) throw new BacklogFullError(formatSize(limit));
      held += bytes;
      this.#bytes += bytes;
    };
    try {
      return await work({ grow });
    } finally {
      this.#messages -= 1;
      this.#bytes -= held;
    }
  }
}

/** A message's place in the backlog. */
export interface Place {
  /** It takes so many more bytes. @throws {BacklogFullError} */
  grow(bytes: number): void;
}
