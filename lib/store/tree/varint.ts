import { BlockInvalidError } from '../errors';

/** Bytes that an unsigned LEB128 of a safe integer takes. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

/** Writes an unsigned LEB128 and answers where it ends. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  return at;
}

/** Reads protobuf fields of one message, strictly: only shortest varints, nothing beyond the end. */
export class FieldReader {
  #at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.#at === this.bytes.length;
  }

  /** Field number * 8 + wire type. */
  tag(): number {
    return this.varint();
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 8; count += 1) {
      const byte = this.bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if ((byte === 0 && count > 0) || !Number.isSafeInteger(value)) break;
        return value;
      }
      factor *= 0x80;
    }
    throw new BlockInvalidError('a number in it is cut off, too large or padded');
  }

  field(): Uint8Array {
    const length = this.varint();
    const end = this.#at + length;
    if (end > this.bytes.length) throw new BlockInvalidError('a field in it is cut off');
    const field = this.bytes.subarray(this.#at, end);
    this.#at = end;
    return field;
  }
}
