import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { ExecText } from '../container';

/** Pieces that may wait for a slow reader before the program has to. */
const MOST_WAITING = 16;
/** The output of a program as text, in the order in which it comes. A slow reader slows the program down. */
export class ProgramOutput {
  readonly #streams: Readable[];
  readonly #waiting: ExecText[] = [];
  readonly #encoding: 'utf8' | 'latin1';
  #open = 0;
  #wake: () => void = () => {};

  constructor(stdout: Readable, stderr: Readable, encoding: 'utf8' | 'latin1') {
    this.#encoding = encoding;
    this.#streams = [stdout, stderr];
    this.#read(stdout, 'stdout');
    this.#read(stderr, 'stderr');
  }

  /** All that comes, until both have ended. */
  async *read(): AsyncGenerator<ExecText> {
    for (;;) {
      yield* this.#waiting.splice(0);
      for (const stream of this.#streams) stream.resume();
      if (this.#waiting.length > 0) continue;
      if (this.#open === 0) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#wake();
  }

  #read(source: Readable, stream: ExecText['stream']): void {
    const decoder = new StringDecoder(this.#encoding);
    const add = (text: string) => {
      if (text !== '') this.#waiting.push({ stream, text });
      if (this.#waiting.length >= MOST_WAITING) source.pause();
      this.#wake();
    };
    this.#open += 1;
    source.on('data', (chunk: Buffer) => add(decoder.write(chunk)));
    source.once('end', () => add(decoder.end()));
    source.once('close', () => {
      this.#open -= 1;
      this.#wake();
    });
    source.on('error', () => {});
  }
}
