import { MessageTooLargeError } from '../../errors';
import type { ByteStream } from '../../mesh';
import { MAXIMUM_BODY } from '../messages';

const MAXIMUM_HEAD = 64 << 10;
const LENGTHS = 8;

/** A piece of a stream of messages: JSON data, and bytes that belong to it. */
export interface Frame {
  /** As the other host wrote it: to be checked. */
  head: unknown;
  body: Buffer;
}

const NOTHING = Buffer.alloc(0);

/** A frame as it goes on a stream: the lengths of both parts, then the parts. */
export function frame(head: unknown, body: Buffer = NOTHING): Buffer[] {
  const text = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.allocUnsafe(LENGTHS);
  lengths.writeUInt32BE(text.length, 0);
  lengths.writeUInt32BE(body.length, 4);
  return [lengths, text, body];
}

/** Frames as they come: all that one piece of the stream completes at once. @throws {MessageTooLargeError} */
export async function* readFrames(stream: ByteStream): AsyncIterable<Frame[]> {
  let parts: Uint8Array[] = [];
  let size = 0;
  let needed = LENGTHS;
  for await (const chunk of stream.read()) {
    parts.push(chunk);
    size += chunk.length;
    // A large body is put together once, not with each piece of it.
    if (size < needed) continue;
    let rest = Buffer.concat(parts);
    const frames: Frame[] = [];
    for (needed = lengthOf(rest); rest.length >= needed; needed = lengthOf(rest)) {
      const start = LENGTHS + rest.readUInt32BE(0);
      const head = JSON.parse(rest.toString('utf8', LENGTHS, start)) as unknown;
      frames.push({ head, body: rest.subarray(start, needed) });
      rest = rest.subarray(needed);
    }
    parts = [rest];
    size = rest.length;
    if (frames.length > 0) yield frames;
  }
}

function lengthOf(bytes: Buffer): number {
  if (bytes.length < LENGTHS) return LENGTHS;
  const [head, body] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  if (head > MAXIMUM_HEAD || body > MAXIMUM_BODY) {
    throw new MessageTooLargeError('a message of another host', head + body, MAXIMUM_BODY);
  }
  return LENGTHS + head + body;
}
