import { FrameDecoder, StreamBrokenError } from '../../mesh';

/** Blocks are smaller; see MAXIMUM_BLOCK_BYTES of lib/store. */
const MAXIMUM_FRAME = 512 << 10;

/** The blocks in a byte stream. @throws {StreamBrokenError} when it ends within one, or one is too long */
export async function* unframe(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const received = new FrameDecoder((bytes) => new StreamBrokenError(`a block of ${bytes} bytes`));
  for await (const chunk of chunks) {
    received.push(chunk);
    for (let block = received.next(MAXIMUM_FRAME); block; block = received.next(MAXIMUM_FRAME)) yield block;
  }
  if (received.size > 0) throw new StreamBrokenError('a transfer');
}
