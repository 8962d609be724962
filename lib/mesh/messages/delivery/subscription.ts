import type { Message } from '../messages';
import type { Entry } from '../queues/message-table';
import type { Queues } from '../queues/queues';
import type { Queue } from '../queues/subscriber-table';

/** What is read from the disk at once. */
const READ = { messages: 64, bytes: 256 << 10 };

/** Messages that are handed out without being acknowledged. */
const WINDOW = 256;

/** Hands the messages of one subscriber of this host out, in the order of its queue. */
export class Subscription {
  readonly #queues: Queues;
  readonly #queue: Queue;
  readonly #unacknowledged = new Set<number>();
  /** Read, and not yet handed out. */
  #read: Entry[] = [];
  #last = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(queues: Queues, queue: Queue) {
    this.#queues = queues;
    this.#queue = queue;
  }

  async *messages(signal?: AbortSignal): AsyncIterable<Message> {
    const onAbort = () => this.end();
    const deaf = this.#queues.listen(({ id }) => {
      if (id === this.#queue.id) this.#wake?.();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) this.end();
    try {
      while (!this.#ended) {
        const message = this.#unacknowledged.size < WINDOW ? this.#next() : undefined;
        if (message) yield message;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      deaf();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  acknowledged(sequences: number[]): void {
    for (const sequence of sequences) this.#unacknowledged.delete(sequence);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  #next(): Message | undefined {
    if (this.#read.length === 0) this.#read = this.#queues.messages.next(this.#queue.id, this.#last, READ);
    const entry = this.#read.shift();
    if (!entry) return undefined;
    const { sequence, body, topic, host, site, peer, time, retained } = entry;
    this.#last = sequence;
    this.#unacknowledged.add(sequence);
    return {
      topic,
      body: body.toString('utf8'),
      host,
      site,
      peerId: peer,
      time,
      retained,
      queue: this.#queue.name,
      sequence,
    };
  }
}
