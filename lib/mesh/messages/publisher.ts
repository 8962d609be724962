import type { Messages, PublishOptions, PublishResult } from './messages';

/** Bytes of texts that go in one call. */
const BATCH = 256 << 10;

type Settings = Omit<PublishOptions, 'signal' | 'onProgress'>;

interface Waiting {
  topic: string;
  body: string;
  options: Settings;
  resolve(result: PublishResult): void;
  reject(error: unknown): void;
}

/**
 * Publishes messages in the order in which they are handed in, also to a host in another process, where calls may
 * overtake each other: the next call begins once the one before has its place, without waiting for the disk.
 */
export class Publisher {
  readonly #open: () => Promise<Pick<Messages, 'publish'>>;
  #waiting: Waiting[] = [];
  #running = false;

  /** `open` is asked at each call, and again after a failure. */
  constructor(open: () => Promise<Pick<Messages, 'publish'>>) {
    this.#open = open;
  }

  /** Messages that have no place yet. */
  get backlog(): number {
    return this.#waiting.length;
  }

  publish(topic: string, body: string, options: Settings = {}): Promise<PublishResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ topic, body, options, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) await this.#send(this.#batch());
    this.#running = false;
  }

  /** Resolves when the messages have their place in the order, or have failed. */
  #send(batch: Waiting[]): Promise<void> {
    const [{ topic, options }] = batch as [Waiting];
    return new Promise<void>((resolve) => {
      this.#open()
        .then((messages) =>
          messages.publish(
            topic,
            batch.map(({ body }) => body),
            { ...options, onProgress: ({ phase }) => phase === 'queued' && resolve() },
          ),
        )
        .then(
          (result) => {
            for (const one of batch) one.resolve(result);
          },
          (error) => {
            for (const one of batch) one.reject(error);
          },
        )
        .finally(resolve);
    });
  }

  /** The next messages that are alike, together; where one may be refused, it goes alone. */
  #batch(): Waiting[] {
    const [first] = this.#waiting as [Waiting];
    const alike = ({ topic, options }: Waiting) =>
      topic === first.topic && JSON.stringify(options) === JSON.stringify(first.options);
    let count = 1;
    let size = first.body.length;
    while (first.options.policy !== 'refuse' && count < this.#waiting.length) {
      const next = this.#waiting[count]!;
      size += next.body.length;
      if (size > BATCH || !alike(next)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
