/** A request of this size can still be said again to another instance. */
const REPEATABLE = 64 << 10;

/**
 * What a client says, which can be read again from the start until an instance has answered or it has grown too
 * large: so the next instance takes over from one that fails.
 */
export class Opening {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #kept = true;
  #next: Promise<void> | undefined;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
    // To notice a client that leaves before it is served.
    this.#more().catch(() => {});
  }

  /** Whether it can be read from the start again. */
  get isRepeatable(): boolean {
    return this.#kept;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** It need not be read again: from here on it takes no memory. */
  settle(): void {
    this.#kept = false;
  }

  /** From the start, while it can be repeated. A reader whose signal has fired takes nothing more. */
  async *read(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for (let position = 0; !signal.aborted; ) {
      const chunk = this.#chunks[position];
      if (chunk) {
        if (this.#kept) position += 1;
        else {
          this.#chunks = this.#chunks.slice(position + 1);
          position = 0;
        }
        yield chunk;
      } else if (this.#ended) return;
      else await this.#more();
    }
  }

  /** One read at a time; readers that come meanwhile wait for the same. */
  #more(): Promise<void> {
    this.#next ??= this.#source
      .next()
      .then(({ done, value }) => {
        if (done) this.#ended = true;
        else {
          this.#chunks.push(value);
          this.#bytes += value.length;
          if (this.#bytes > REPEATABLE) this.#kept = false;
        }
      })
      .finally(() => {
        this.#next = undefined;
      });
    return this.#next;
  }
}
