import { StreamBrokenError } from '../../mesh';

/** Bytes of a frame's length, which stands before its content. */
const HEAD = 4;
/** Blocks are smaller; see MAXIMUM_BLOCK_BYTES of lib/store. */
const MAXIMUM_FRAME = 512 << 10;

/** A block as it goes over a byte stream. */
export function frame(block: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(HEAD + block.length);
  framed.writeUInt32BE(block.length);
  framed.set(block, HEAD);
  return framed;
}

/** The blocks in a byte stream. @throws {StreamBrokenError} when it ends within one, or one is too long */
export async function* unframe(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let have = 0;
  let wanted: number | undefined;
  for await (const chunk of chunks) {
    parts.push(chunk);
    have += chunk.length;
    while (have >= (wanted ?? HEAD)) {
      const bytes = Buffer.concat(parts);
      let rest: Buffer;
      if (wanted === undefined) {
        wanted = bytes.readUInt32BE(0);
        if (wanted > MAXIMUM_FRAME) throw new StreamBrokenError(`a block of ${wanted} bytes`);
        rest = bytes.subarray(HEAD);
      } else {
        yield bytes.subarray(0, wanted);
        rest = bytes.subarray(wanted);
        wanted = undefined;
      }
      parts = [rest];
      have = rest.length;
    }
  }
  if (have > 0 || wanted !== undefined) throw new StreamBrokenError('a transfer');
}
