import type { ByteStream } from '../../../lib/mesh';

/** One direction of bytes that is bounded, as the mesh's are. */
class Pipe {
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void)[] = [];

  async write(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(Uint8Array.from(chunk));
    this.#signal();
    while (this.#chunks.length > 8 && !this.#error) await this.#change();
    if (this.#error) throw this.#error;
  }

  end(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    this.#signal();
  }

  async *read(): AsyncIterable<Uint8Array> {
    for (;;) {
      if (this.#error) throw this.#error;
      const chunk = this.#chunks.shift();
      this.#signal();
      if (chunk) yield chunk;
      else if (this.#ended) return;
      else await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #signal(): void {
    for (const wake of this.#wake.splice(0)) setImmediate(wake);
  }
}

/** Two ends of a byte stream within this process. */
export function streamPair(): [ByteStream, ByteStream] {
  const [there, back] = [new Pipe(), new Pipe()];
  const end = (out: Pipe, into: Pipe): ByteStream => ({
    peerId: 'test',
    write: (chunk) => out.write(chunk),
    end: async () => out.end(),
    read: () => into.read(),
    abort: (error = new Error('broken off')) => {
      out.end(error);
      into.end(error);
    },
  });
  return [end(there, back), end(back, there)];
}
