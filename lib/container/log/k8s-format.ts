import type { LogLine } from '../container';

const NEWLINE = 10;
const SPACE = 32;
const PARTIAL = 'P'.charCodeAt(0);
/** A program that never ends its line gets its text in pieces of about this size, so that memory stays bounded. */
export const LONGEST_LINE = 1 << 20;

interface Pending {
  time: string;
  parts: Buffer[];
  size: number;
}

/**
 * Reads the log format of Kubernetes' CRI, which conmon writes: `TIME STREAM P|F TEXT`. Long lines come in
 * parts marked P and end with one marked F. Parts are joined as bytes, since conmon cuts within characters; what is
 * no UTF-8 then becomes U+FFFD.
 */
export class LogParser {
  readonly #pending = new Map<string, Pending>();
  #rest: Buffer = Buffer.alloc(0);

  /** The lines that these bytes complete. */
  push(bytes: Buffer): LogLine[] {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    const lines: LogLine[] = [];
    let start = 0;
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
      const line = this.#record(data, start, end);
      if (line) lines.push(line);
      start = end + 1;
    }
    // Copied: the caller uses its buffer again.
    this.#rest = Buffer.from(data.subarray(start));
    return lines;
  }

  /** Texts without a newline at the end, once nothing more can come. */
  flush(): LogLine[] {
    this.#rest = Buffer.alloc(0);
    const lines = [...this.#pending].map(([stream, pending]) => toLine(stream, pending));
    this.#pending.clear();
    return lines.filter((line) => line.text !== '');
  }

  #record(data: Buffer, start: number, end: number): LogLine | undefined {
    const afterTime = data.indexOf(SPACE, start);
    const afterStream = afterTime < 0 ? -1 : data.indexOf(SPACE, afterTime + 1);
    if (afterStream < 0 || afterStream > end) return undefined;
    const time = data.toString('latin1', start, afterTime);
    const stream = data.toString('latin1', afterTime + 1, afterStream);
    const isPart = data[afterStream + 1] === PARTIAL;
    if (!isPart && !this.#pending.has(stream)) {
      return { time, stream: streamName(stream), text: data.toString('utf8', afterStream + 3, end) };
    }
    return this.#join(stream, time, Buffer.from(data.subarray(afterStream + 3, end)), isPart);
  }

  #join(stream: string, time: string, part: Buffer, isPart: boolean): LogLine | undefined {
    const pending: Pending = this.#pending.get(stream) ?? { time, parts: [], size: 0 };
    pending.parts.push(part);
    pending.size += part.length;
    this.#pending.set(stream, pending);
    if (isPart && pending.size < LONGEST_LINE) return undefined;
    this.#pending.delete(stream);
    if (!isPart) return toLine(stream, pending);
    // Cut between characters: the beginning of one goes to the next piece.
    const whole = Buffer.concat(pending.parts);
    const cut = endOfLastCharacter(whole);
    const rest = whole.subarray(cut);
    this.#pending.set(stream, { time, parts: [rest], size: rest.length });
    return { ...toLine(stream, { ...pending, parts: [whole.subarray(0, cut)] }), goesOn: true };
  }
}

function toLine(stream: string, { time, parts }: Pending): LogLine {
  const text = (parts.length === 1 ? parts[0]! : Buffer.concat(parts)).toString('utf8');
  return { time, stream: streamName(stream), text };
}

function streamName(stream: string): LogLine['stream'] {
  return stream === 'stderr' ? 'stderr' : 'stdout';
}

/** Where a character of several bytes begins that is not complete yet; else the length. */
function endOfLastCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
