import type { ContainerInput } from '../../../container';

export interface LineFeedParts {
  /** The input of the container as soon as it runs; rejects when the signal fires. */
  open(signal: AbortSignal): Promise<ContainerInput>;
  /** Whether a message is done when its line is answered, not when the program has read it. */
  answered: boolean;
}

/** A line on its way to the program. */
export interface FedLine {
  text: string;
  /** Which the program repeats in its answer. */
  id: string | undefined;
  /** The subscriber whose message it is. */
  source: string;
  /** The message is done. */
  done(): void;
}

interface InHand extends FedLine {
  /** Where its last byte lies in what this run of the program was given. */
  end: number | undefined;
}

/** Messages that the program may have and not be done with. */
const IN_HAND = 64;
/** Between two looks at what the program has read, in ms. */
const LOOK = 5;

/**
 * Gives a program its lines, as fast as it reads them. A line is in hand until the program is done with it: one that has
 * ended before gets it again when it runs again.
 */
export class LineFeed {
  readonly #parts: LineFeedParts;
  readonly #closing = new AbortController();
  #inHand: InHand[] = [];
  #input: ContainerInput | undefined;
  /** Bytes that this run of the program was given, read or not. */
  #given = 0;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #changed: (() => void)[] = [];

  constructor(parts: LineFeedParts) {
    this.#parts = parts;
  }

  /** Messages that the program has, or is to get. */
  get waiting(): number {
    return this.#inHand.length;
  }

  get isFull(): boolean {
    return this.#inHand.length >= IN_HAND;
  }

  /** Takes a line, also where there is no room. */
  give(line: FedLine): void {
    this.#inHand.push({ ...line, end: undefined });
    this.#run();
  }

  /** The program has answered a message. */
  answer(id: string): void {
    const at = this.#inHand.findIndex((each) => each.id === id);
    if (at < 0) return;
    const [line] = this.#inHand.splice(at, 1);
    line!.done();
    this.#wake();
  }

  /**
   * The program has ended: what it has not taken is given to the next one.
   *
   * @param pid of the one that runs now, if any
   */
  lost(pid: number | null): void {
    if (!this.#input || this.#input.pid === pid) return;
    this.#look();
    this.#begin();
    this.#run();
  }

  /** Lines of these subscribers' messages that the program is not done with. */
  waitingOf(sources: readonly string[]): number {
    return this.#inHand.filter(({ source }) => sources.includes(source)).length;
  }

  /** Drops the lines of these subscribers' messages; whoever gave them gives them again later. */
  drop(sources: readonly string[]): void {
    this.#inHand = this.#inHand.filter(({ source }) => !sources.includes(source));
    this.#wake();
  }

  /** Resolves at the next change, or when the signal fires. */
  change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.#changed.push(done);
      if (signal.aborted) done();
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.#input?.close();
    this.#wake();
    await this.#running;
  }

  #run(): void {
    this.#running ??= this.#write().finally(() => {
      this.#running = undefined;
    });
  }

  async #write(): Promise<void> {
    const { signal } = this.#closing;
    const next = () => this.#inHand.find(({ end }) => end === undefined);
    while (!signal.aborted && next()) {
      try {
        this.#input ??= await this.#parts.open(signal);
        const line = next();
        if (!line) return;
        this.#given += Buffer.byteLength(line.text);
        line.end = this.#given;
        await this.#input.write(line.text);
        this.#look();
      } catch {
        // The pipe was closed while something was written to it.
        this.#begin();
      }
    }
  }

  /** The next run of the program has got nothing yet. */
  #begin(): void {
    this.#input?.close();
    this.#input = undefined;
    this.#given = 0;
    for (const line of this.#inHand) line.end = undefined;
  }

  /** Looks what the program has read, again and again until that is all. */
  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const input = this.#input;
    if (!input || this.#inHand.length === 0) return;
    const read = this.#given - input.unread();
    if (!this.#parts.answered) {
      let done = 0;
      while (done < this.#inHand.length && (this.#inHand[done]!.end ?? Number.POSITIVE_INFINITY) <= read)
        done += 1;
      for (const line of this.#inHand.splice(0, done)) line.done();
      if (done > 0) this.#wake();
      if (this.#inHand.length > 0) this.#timer = setTimeout(() => this.#look(), LOOK).unref();
    }
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
