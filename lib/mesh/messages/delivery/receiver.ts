import type { ByteStream, CallContext, Mesh } from '../../mesh';
import { checkHead, type MessageHead } from '../checks';
import { WindowExceededError } from '../errors';
import type { Mark, Queues } from '../queues/queues';
import { MESSAGE_STREAM } from './courier';
import { frame, readFrames } from './frames';
import { Window } from './window';

/**
 * Takes the messages of other hosts in. A message is acknowledged when it is on this host's disk and its queue
 * has room for more: a subscriber that does not keep up holds its senders back, and no others.
 */
export class Receiver {
  readonly #queues: Queues;
  readonly #stop: () => void;
  readonly #deaf: () => void;
  readonly #streams = new Set<IncomingStream>();

  constructor(mesh: Mesh, queues: Queues) {
    this.#queues = queues;
    this.#stop = mesh.serveStream(MESSAGE_STREAM, (_header, stream, context) =>
      this.#accept(stream, context),
    );
    this.#deaf = queues.listen((queue) => {
      if (queue.peer === queues.self.peer)
        for (const stream of this.#streams) stream.releaseHeld(queue.subscriber);
    });
  }

  close(): void {
    this.#stop();
    this.#deaf();
    for (const stream of this.#streams) stream.close();
  }

  async #accept(stream: ByteStream, { peerId }: CallContext): Promise<void> {
    const incoming = new IncomingStream(stream, peerId, this.#queues);
    this.#streams.add(incoming);
    try {
      await incoming.run();
    } finally {
      this.#streams.delete(incoming);
    }
  }
}

class IncomingStream {
  /** Acknowledgements that are held back until there is room, by subscriber. */
  readonly #held = new Map<string, Mark>();
  /** What came and is not acknowledged, by queue. */
  readonly #windows = new Map<string, Window>();

  constructor(
    private readonly stream: ByteStream,
    private readonly peerId: string,
    private readonly queues: Queues,
  ) {}

  async run(): Promise<void> {
    for await (const frames of readFrames(this.stream)) {
      const messages = frames.map(({ head, body }) => ({ ...checkHead(head), body }));
      for (const message of messages) this.#count(message, message.body.length);
      const commit = this.queues.receive(this.peerId, messages);
      const { marks, refused } = await commit.committed;
      // They come again, and under another epoch perhaps to this host.
      for (const mark of refused) this.#forget(mark);
      // The next messages come in while the disk is busy with these.
      commit.durable.then(() => this.#acknowledge(marks)).catch(() => this.close());
    }
  }

  releaseHeld(subscriber: string): void {
    const mark = this.#held.get(subscriber);
    if (!mark) return;
    try {
      this.#acknowledge([mark]);
    } catch {
      this.close();
    }
  }

  close(): void {
    this.stream.abort();
  }

  /** A sender that did not wait for acknowledgements could fill this host's disk. @throws {WindowExceededError} */
  #count({ subscriber, queue, sequence }: MessageHead, bytes: number): void {
    const key = windowOf(subscriber, queue);
    const window = this.#windows.get(key) ?? new Window();
    if (window.full) throw new WindowExceededError(subscriber);
    window.add(sequence, bytes);
    this.#windows.set(key, window);
  }

  #acknowledge(marks: Mark[]): void {
    const frames: Buffer[] = [];
    for (const mark of marks) {
      if (this.queues.hasRoom(mark.subscriber)) {
        this.#held.delete(mark.subscriber);
        this.#forget(mark);
        frames.push(...frame(mark));
      } else {
        this.#held.set(mark.subscriber, mark);
      }
    }
    if (frames.length > 0) this.stream.write(Buffer.concat(frames)).catch(() => {});
  }

  #forget({ subscriber, queue, sequence }: Mark): void {
    const key = windowOf(subscriber, queue);
    const window = this.#windows.get(key);
    window?.acknowledged(sequence);
    if (window?.empty) this.#windows.delete(key);
  }
}

const windowOf = (subscriber: string, queue: string) => `${queue} ${subscriber}`;
