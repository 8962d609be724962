import { createHash, type Hash } from 'node:crypto';
import { CheckpointFileDamagedError } from './errors';

/** One frame: its kind, the length of its bytes (32 bits, big-endian), its bytes. */
const KINDS = { header: 1, part: 2, data: 3, partEnd: 4, end: 5 } as const;
type Kind = keyof typeof KINDS;
const NAMES = new Map<number, Kind>(Object.entries(KINDS).map(([name, number]) => [number, name as Kind]));
const PREFIX_BYTES = 5;
/** Nothing longer is written, and nothing longer is read. */
const LONGEST = 16 << 20;
/** The header stands for itself, so that nothing is begun on the word of a damaged one. */
const DIGEST_BYTES = 32;

/** Writes frames, and the digest of all of them at the end. */
export class FrameWriter {
  readonly #hash = createHash('sha256');

  header(value: unknown): Buffer {
    const text = Buffer.from(JSON.stringify(value));
    return this.#frame('header', Buffer.concat([sha256(text), text]));
  }

  part(name: string): Buffer {
    return this.#frame('part', Buffer.from(name));
  }

  data(bytes: Uint8Array): Buffer {
    return this.#frame('data', bytes);
  }

  partEnd(): Buffer {
    return this.#frame('partEnd', Buffer.alloc(0));
  }

  end(): Buffer {
    return this.#frame('end', this.#hash.copy().digest());
  }

  #frame(kind: Kind, bytes: Uint8Array): Buffer {
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix[0] = KINDS[kind];
    prefix.writeUInt32BE(bytes.length, 1);
    const frame = Buffer.concat([prefix, bytes]);
    this.#hash.update(frame);
    return frame;
  }
}

interface Frame {
  kind: Kind;
  bytes: Buffer;
}

/** Reads frames in the order of a checkpoint file, and checks that they are what was written. */
export class FrameReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #hash: Hash = createHash('sha256');
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** @throws {CheckpointFileDamagedError} */
  async header<T>(): Promise<T> {
    const { kind, bytes } = await this.#next();
    if (kind !== 'header') throw new CheckpointFileDamagedError('its header is missing');
    const text = bytes.subarray(DIGEST_BYTES);
    if (!sha256(text).equals(bytes.subarray(0, DIGEST_BYTES))) {
      throw new CheckpointFileDamagedError('its header is not what was written');
    }
    return JSON.parse(text.toString()) as T;
  }

  /** The name of the next part; undefined at the end, when all that was read has proved to be what was written. */
  async part(): Promise<string | undefined> {
    const before = this.#hash.copy();
    const { kind, bytes } = await this.#next();
    if (kind === 'part') return bytes.toString();
    if (kind !== 'end') throw new CheckpointFileDamagedError('a part of it begins in the middle');
    if (!before.digest().equals(bytes)) throw new CheckpointFileDamagedError('its checksum is wrong');
    if (this.#rest.length > 0 || !(await this.#source.next()).done) {
      throw new CheckpointFileDamagedError('something follows its end');
    }
    return undefined;
  }

  /** The bytes of the part that has begun. */
  async *data(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { kind, bytes } = await this.#next();
      if (kind === 'partEnd') return;
      if (kind !== 'data') throw new CheckpointFileDamagedError('a part of it ends in the middle');
      yield bytes;
    }
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #next(): Promise<Frame> {
    const prefix = await this.#take(PREFIX_BYTES);
    const kind = NAMES.get(prefix[0]!);
    const length = prefix.readUInt32BE(1);
    if (!kind || length > LONGEST) throw new CheckpointFileDamagedError('it holds what was not written');
    const bytes = await this.#take(length);
    this.#hash.update(prefix).update(bytes);
    return { kind, bytes };
  }

  async #take(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [this.#rest];
    let size = this.#rest.length;
    while (size < length) {
      const { value, done } = await this.#source.next();
      if (done) throw new CheckpointFileDamagedError('its end is missing');
      pieces.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      size += value.byteLength;
    }
    const all = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    this.#rest = all.subarray(length);
    return all.subarray(0, length);
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
