import { MessageTooLargeError } from '../../errors';
import { encodeFrame, encodeJson, FrameDecoder } from '../../framing';
import type { ByteStream } from '../../mesh';
import { MAXIMUM_BODY } from '../messages';

const MAXIMUM_HEAD = 64 << 10;

/** A piece of a stream of messages: JSON data, and bytes that belong to it. */
export interface Frame {
  /** As the other host wrote it: to be checked. */
  head: unknown;
  body: Buffer;
}

const NOTHING = Buffer.alloc(0);

/** Both parts as they go on a stream, each in a frame of its own. */
export function frame(head: unknown, body: Buffer = NOTHING): Buffer[] {
  return [encodeJson(head), encodeFrame(body)];
}

/** Frames as they come: all that one piece of the stream completes at once. @throws {MessageTooLargeError} */
export async function* readFrames(stream: ByteStream): AsyncIterable<Frame[]> {
  const decoder = new FrameDecoder(
    (bytes, limit) => new MessageTooLargeError('a message of another host', bytes, limit),
  );
  let head: Buffer | undefined;
  for await (const chunk of stream.read()) {
    decoder.push(chunk);
    const frames: Frame[] = [];
    for (;;) {
      head ??= decoder.next(MAXIMUM_HEAD);
      const body = head && decoder.next(MAXIMUM_BODY);
      if (!head || !body) break;
      frames.push({ head: JSON.parse(head.toString()) as unknown, body });
      head = undefined;
    }
    if (frames.length > 0) yield frames;
  }
}
