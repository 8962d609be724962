/** Bytes of a frame's length, which stands before its content, as an unsigned integer, most significant byte first. */
export const LENGTH_BYTES = 4;

/** Content as it goes on a stream. */
export function encodeFrame(content: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + content.length);
  frame.writeUInt32BE(content.length);
  frame.set(content, LENGTH_BYTES);
  return frame;
}

/** A frame of JSON text. */
export function encodeJson(value: unknown): Buffer {
  const text = JSON.stringify(value);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + Buffer.byteLength(text));
  frame.writeUInt32BE(frame.length - LENGTH_BYTES);
  frame.write(text, LENGTH_BYTES);
  return frame;
}

/** Finds the frames in bytes that come in pieces of any size. A large one is put together once, when it is whole. */
export class FrameDecoder {
  readonly #tooLong: (bytes: number, limit: number) => Error;
  #parts: Uint8Array[] = [];
  #size = 0;

  /** `tooLong` makes the error for a frame over its limit. */
  constructor(tooLong: (bytes: number, limit: number) => Error) {
    this.#tooLong = tooLong;
  }

  /** Bytes that have come and belong to no frame that was taken. */
  get size(): number {
    return this.#size;
  }

  push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  /** The content of the next frame; undefined until it is whole. @throws what `tooLong` makes, as soon as it is known */
  next(limit: number): Buffer | undefined {
    if (this.#size < LENGTH_BYTES) return undefined;
    const start = this.#parts[0]!.length < LENGTH_BYTES ? this.rest() : asBuffer(this.#parts[0]!);
    const length = start.readUInt32BE();
    if (length > limit) throw this.#tooLong(length, limit);
    const end = LENGTH_BYTES + length;
    if (this.#size < end) return undefined;
    const all = this.rest();
    this.#size -= end;
    this.#parts = this.#size > 0 ? [all.subarray(end)] : [];
    return all.subarray(LENGTH_BYTES, end);
  }

  /** What belongs to no frame that was taken. */
  rest(): Buffer {
    const rest = this.#parts.length === 1 ? asBuffer(this.#parts[0]!) : Buffer.concat(this.#parts);
    this.#parts = [rest];
    return rest;
  }
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
