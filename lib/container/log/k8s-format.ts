import type { LogLine } from '../container';

const NEWLINE = 10;
const SPACE = 32;
const PARTIAL = 'P'.charCodeAt(0);
/** A program that never ends its line gets its text in pieces of this size, so that memory stays bounded. */
const LONGEST_LINE = 1 << 20;

interface Pending {
  time: string;
  parts: Buffer[];
  size: number;
}

/**
 * Reads the log format of Kubernetes' CRI, which conmon writes: `TIME STREAM P|F TEXT`. Long lines come in
 * parts marked P and end with one marked F. Parts are joined as bytes, since conmon cuts within characters.
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
      const line = this.#record(data.subarray(start, end));
      if (line) lines.push(line);
      start = end + 1;
    }
    // Copied: the caller uses its buffer again.
    this.#rest = Buffer.from(data.subarray(start));
    return lines;
  }

  /** Texts without a newline at the end, once nothing more can come. */
  flush(): LogLine[] {
    return [...this.#pending.keys()]
      .map((stream) => this.#complete(stream))
      .filter((line) => line.text !== '');
  }

  #record(record: Buffer): LogLine | undefined {
    const afterTime = record.indexOf(SPACE);
    const afterStream = record.indexOf(SPACE, afterTime + 1);
    if (afterTime < 0 || afterStream < 0) return undefined;
    const stream = record.toString('latin1', afterTime + 1, afterStream);
    const text = Buffer.from(record.subarray(afterStream + 3));
    let pending = this.#pending.get(stream);
    if (!pending) {
      pending = { time: record.toString('latin1', 0, afterTime), parts: [], size: 0 };
      this.#pending.set(stream, pending);
    }
    pending.parts.push(text);
    pending.size += text.length;
    const goesOn = record[afterStream + 1] === PARTIAL && pending.size < LONGEST_LINE;
    return goesOn ? undefined : this.#complete(stream);
  }

  #complete(stream: string): LogLine {
    const { time, parts } = this.#pending.get(stream)!;
    this.#pending.delete(stream);
    const text = (parts.length === 1 ? parts[0]! : Buffer.concat(parts)).toString('utf8');
    return { time, stream: stream === 'stderr' ? 'stderr' : 'stdout', text };
  }
}
