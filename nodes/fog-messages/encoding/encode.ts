import { MAXIMUM_BODY, MessageTooLargeError } from '../../../lib/mesh';
import { MessageNotPlainError } from './errors';
import { inSlices } from './in-slices';
import { isArrayName, TAG } from './tags';

export interface Encoded {
  text: string;
  /** Paths of what cannot travel and was left out: the connection of an HTTP request, functions. */
  omitted: string[];
}

/** Properties of a message that belong to a connection of this process. */
const CONNECTION = new Set(['req', 'res']);
const MAXIMUM_DEPTH = 500;
/** Values between two looks at the clock. */
const VALUES = 256;
/** Bytes encoded at once; a multiple of 3, so that the parts of base64 fit together. */
const BYTES = 96 << 10;

/**
 * Makes a text of a message: Buffers, typed arrays, dates, maps, sets, errors, regular expressions, `undefined`,
 * numbers beyond JSON and nested values survive. Instances of other classes become plain objects.
 *
 * @throws {MessageNotPlainError} {MessageTooLargeError}
 */
export function encodeMessage(message: object): Promise<Encoded> {
  return inSlices(new Encoder().run(message));
}

class Encoder {
  readonly #parts: string[] = [];
  readonly #omitted: string[] = [];
  readonly #ancestors = new Set<object>();
  #length = 0;
  #values = 0;

  *run(message: object): Generator<void, Encoded> {
    const own = Object.entries(message).filter(([key, value]) => {
      const stays = !CONNECTION.has(key) || value === null || typeof value !== 'object';
      if (!stays) this.#omitted.push(`msg.${key}`);
      return stays;
    });
    yield* this.#object(Object.fromEntries(own), 'msg');
    return { text: this.#parts.join(''), omitted: this.#omitted };
  }

  #add(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
    if (this.#length > MAXIMUM_BODY)
      throw new MessageTooLargeError('the message', this.#length, MAXIMUM_BODY);
  }

  /** Adds what is a value in itself, as most are: a generator for each would take longer than its text. */
  #addPrimitive(value: unknown): boolean {
    if (typeof value === 'object' && value !== null) return false;
    this.#add(primitive(value));
    return true;
  }

  *#value(value: object, path: string): Generator<void> {
    if (this.#ancestors.has(value)) throw new MessageNotPlainError(path, 'holds itself');
    if (this.#ancestors.size >= MAXIMUM_DEPTH) throw new MessageNotPlainError(path, 'is nested too deeply');
    this.#ancestors.add(value);
    yield* this.#compound(value, path);
    this.#ancestors.delete(value);
  }

  *#compound(value: object, path: string): Generator<void> {
    if (Array.isArray(value)) yield* this.#list(value, path);
    else if (ArrayBuffer.isView(value)) yield* this.#view(value);
    else if (value instanceof ArrayBuffer) yield* this.#bytes('ArrayBuffer', new Uint8Array(value));
    else if (value instanceof Date) this.#add(tagged('Date', JSON.stringify(value.getTime())));
    else if (value instanceof RegExp)
      this.#add(tagged('RegExp', JSON.stringify([value.source, value.flags])));
    else if (value instanceof Map) yield* this.#tag('Map', [...value], path);
    else if (value instanceof Set) yield* this.#tag('Set', [...value], path);
    else if (value instanceof Error) yield* this.#error(value, path);
    else if (Object.hasOwn(value, TAG)) {
      this.#add(`{"${TAG}":"Object","v":`);
      yield* this.#object(value, path);
      this.#add('}');
    } else yield* this.#object(value, path);
  }

  *#object(value: object, path: string): Generator<void> {
    let separator = '{';
    for (const [key, item] of Object.entries(value)) {
      if (!this.#travels(item, path, key)) continue;
      this.#add(`${separator}${JSON.stringify(key)}:`);
      if (!this.#addPrimitive(item)) yield* this.#value(item as object, `${path}.${key}`);
      separator = ',';
      if (this.#isTime()) yield;
    }
    this.#add(separator === '{' ? '{}' : '}');
  }

  *#list(value: unknown[], path: string): Generator<void> {
    for (let at = 0; at < value.length; at += 1) {
      this.#add(at === 0 ? '[' : ',');
      const item = this.#travels(value[at], path, at) ? value[at] : undefined;
      if (!this.#addPrimitive(item)) yield* this.#value(item as object, `${path}[${at}]`);
      if (this.#isTime()) yield;
    }
    this.#add(value.length === 0 ? '[]' : ']');
  }

  *#tag(name: string, value: unknown[], path: string): Generator<void> {
    this.#add(`{"${TAG}":"${name}","v":`);
    yield* this.#list(value, path);
    this.#add('}');
  }

  *#error(error: Error, path: string): Generator<void> {
    this.#add(`{"${TAG}":"Error","v":`);
    const { name, message, stack } = error;
    yield* this.#object({ ...error, name, message, stack }, path);
    this.#add('}');
  }

  *#view(view: ArrayBufferView): Generator<void> {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const name = view.constructor.name;
    yield* this.#bytes(Buffer.isBuffer(view) || !isArrayName(name) ? 'Buffer' : name, bytes);
  }

  *#bytes(name: string, bytes: Uint8Array): Generator<void> {
    this.#add(`{"${TAG}":"${name}","v":"`);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < buffer.length; at += BYTES) {
      this.#add(buffer.toString('base64', at, Math.min(buffer.length, at + BYTES)));
      yield;
    }
    this.#add('"}');
  }

  /** Functions and symbols mean something in this process only. */
  #travels(value: unknown, path: string, key: string | number): boolean {
    if (typeof value !== 'function' && typeof value !== 'symbol') return true;
    this.#omitted.push(typeof key === 'number' ? `${path}[${key}]` : `${path}.${key}`);
    return false;
  }

  #isTime(): boolean {
    this.#values += 1;
    return this.#values % VALUES === 0;
  }
}

const tagged = (name: string, text: string) => `{"${TAG}":"${name}","v":${text}}`;

function primitive(value: unknown): string {
  if (value === undefined) return `{"${TAG}":"undefined"}`;
  if (typeof value === 'bigint') return tagged('BigInt', `"${value}"`);
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return tagged('Number', Object.is(value, -0) ? '"-0"' : `"${value}"`);
  }
  return JSON.stringify(value);
}
