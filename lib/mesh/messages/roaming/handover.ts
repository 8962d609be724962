import type { ByteStream, CallOptions, Mesh } from '../../mesh';
import { checkEntry, checkHandover, isName } from '../checks';
import { frame, readFrames } from '../delivery/frames';
import { MalformedMessageError } from '../errors';
import { costOf } from '../queues/message-table';
import type { Queues } from '../queues/queues';
import type { Queue } from '../queues/subscriber-table';

const HANDOVER_STREAM = 'messages.handover';
/** Bytes that are read, and written, at a time. */
const PIECE = 256 << 10;
const MOST = 1_000;

/** Gives other hosts what this one has handed off, and fetches what others have. */
export class Handovers {
  readonly #mesh: Mesh;
  readonly #queues: Queues;
  readonly #stop: () => void;

  constructor(mesh: Mesh, queues: Queues) {
    this.#mesh = mesh;
    this.#queues = queues;
    this.#stop = mesh.serveStream(HANDOVER_STREAM, (subscriber: unknown, stream) =>
      this.#give(subscriber, stream),
    );
  }

  close(): void {
    this.#stop();
  }

  /** @throws what the other host says, {StreamBrokenError} {RoamingOutdatedError} */
  async fetch(from: string, subscriber: string, epoch: number, options: CallOptions): Promise<Queue> {
    const stream = await this.#mesh.openStream(from, HANDOVER_STREAM, subscriber, options);
    try {
      return await this.#read(stream, subscriber, epoch);
    } finally {
      stream.abort();
    }
  }

  async #give(subscriber: unknown, stream: ByteStream): Promise<void> {
    if (!isName(subscriber)) throw new MalformedMessageError('the name of a subscriber');
    const { messages, roaming } = this.#queues;
    const { id, topic } = roaming.handedOff(subscriber);
    await stream.write(Buffer.concat(frame({ topic, arrivals: roaming.arrivals(subscriber) })));
    for (let last = 0, more = true; more; ) {
      const frames: Buffer[] = [];
      const entries = messages.next(id, last, { messages: MOST, bytes: PIECE });
      more = entries.length > 0;
      for (const { sequence, body, ...head } of entries) {
        frames.push(...frame(head, body));
        last = sequence;
      }
      // It may have been taken back meanwhile: then the other host must not hold it.
      if (roaming.handedOff(subscriber).id !== id) throw new MalformedMessageError('what was handed off');
      if (!more) frames.push(...frame({ end: true }));
      await stream.write(Buffer.concat(frames));
    }
    await stream.end();
  }

  async #read(stream: ByteStream, subscriber: string, epoch: number): Promise<Queue> {
    const { messages, roaming } = this.#queues;
    let first: ReturnType<typeof checkHandover> | undefined;
    let id = 0;
    for await (const frames of readFrames(stream)) {
      let isEnd = false;
      const entries = frames.flatMap(({ head, body }) => {
        if (!first) {
          first = checkHandover(head);
          return [];
        }
        isEnd ||= (head as { end?: unknown } | null)?.end === true;
        return isEnd ? [] : [{ ...checkEntry(head), body }];
      });
      const { topic, arrivals } = first!;
      const commit = this.#queues.change(() => {
        id ||= roaming.prepare(topic, subscriber, epoch);
        const added = entries.map((entry) => ({
          ...entry,
          message: messages.insert(entry),
          bytes: costOf(entry.body),
        }));
        messages.enqueueAll(id, added);
        if (!isEnd) return undefined;
        this.#queues.subscribers.changed();
        return roaming.arrive(subscriber, epoch, arrivals);
      });
      const queue = await commit.committed;
      if (!queue) continue;
      await commit.durable;
      return queue;
    }
    throw new MalformedMessageError('what was handed off');
  }
}
