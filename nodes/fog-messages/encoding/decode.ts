import { MessageUnreadableError } from './errors';
import { inSlices } from './in-slices';
import { ARRAYS, isArrayName, TAG } from './tags';

type Plain = Record<string, unknown>;

/** Values between two looks at the clock. */
const VALUES = 256;

/** The message that `encodeMessage` made a text of. @throws {MessageUnreadableError} */
export async function decodeMessage(text: string): Promise<Plain> {
  let message: unknown;
  try {
    message = await inSlices(new Decoder().value(JSON.parse(text)));
  } catch (error) {
    if (error instanceof MessageUnreadableError) throw error;
    throw new MessageUnreadableError((error as Error).message, { cause: error });
  }
  // What a program published that knows nothing of Node-RED.
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return { payload: message };
  return message as Plain;
}

class Decoder {
  #values = 0;

  *value(value: unknown): Generator<void, unknown> {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return yield* this.#list(value);
    const plain = value as Plain;
    return Object.hasOwn(plain, TAG)
      ? yield* this.#tagged(String(plain[TAG]), plain.v)
      : yield* this.#object(plain);
  }

  *#list(list: unknown[]): Generator<void, unknown[]> {
    for (const [at, item] of list.entries()) {
      // Most are values in themselves, and need no generator.
      if (typeof item === 'object') list[at] = yield* this.value(item);
      if (this.#isTime()) yield;
    }
    return list;
  }

  *#object(object: Plain): Generator<void, Plain> {
    for (const key of Object.keys(object)) {
      // It would be taken for the prototype by whoever copies the object.
      if (key === '__proto__') delete object[key];
      else if (typeof object[key] === 'object') object[key] = yield* this.value(object[key]);
      if (this.#isTime()) yield;
    }
    return object;
  }

  #isTime(): boolean {
    this.#values += 1;
    return this.#values % VALUES === 0;
  }

  *#tagged(tag: string, value: unknown): Generator<void, unknown> {
    if (isArrayName(tag)) {
      const bytes = Buffer.from(value as string, 'base64');
      const { BYTES_PER_ELEMENT } = ARRAYS[tag];
      return new ARRAYS[tag](aligned(bytes), 0, Math.floor(bytes.length / BYTES_PER_ELEMENT));
    }
    switch (tag) {
      case 'undefined':
        return undefined;
      case 'Buffer':
        return Buffer.from(value as string, 'base64');
      case 'ArrayBuffer':
        return aligned(Buffer.from(value as string, 'base64'));
      case 'Date':
        return new Date((value as number | null) ?? Number.NaN);
      case 'Number':
        return Number(value);
      case 'BigInt':
        return BigInt(value as string);
      case 'RegExp':
        return new RegExp(...(value as [string, string]));
      case 'Map':
        return new Map((yield* this.#list(value as unknown[])) as [unknown, unknown][]);
      case 'Set':
        return new Set(yield* this.#list(value as unknown[]));
      case 'Error':
        return errorOf(yield* this.#object(value as Plain));
      case 'Object':
        return yield* this.#object(value as Plain);
      default:
        throw new MessageUnreadableError(`it holds a ${tag}`);
    }
  }
}

/** A buffer of its own, that begins where its bytes do. */
function aligned(bytes: Buffer): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
}

function errorOf({ name, message, stack, ...more }: Plain): Error {
  const error = new Error(String(message));
  const hidden = { enumerable: false, configurable: true, writable: true };
  Object.defineProperty(error, 'name', { value: name, ...hidden });
  Object.defineProperty(error, 'stack', { value: stack, ...hidden });
  return Object.assign(error, more);
}
