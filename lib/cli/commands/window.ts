import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { GaruaError, throwIfAborted } from '../../base';
import {
  isLate,
  parseInput,
  parseWindowSpec,
  StreamSpecError,
  settle,
  WindowEngine,
  type WindowSpec,
} from '../../stream';
import { type Command, text, UsageError } from '../command';

/** Characters of output that are gathered before they are written. */
const OUTPUT_CHUNK = 1 << 16;

/** `garua window`: windows over JSON lines. */
export const window: Command = {
  name: 'window',
  usage: '--spec SPEC.json < events.jsonl > panes.jsonl',
  summary: 'Group a stream of JSON lines into windows and print one line per pane.',
  options: { spec: { type: 'string' } },
  positionals: { minimum: 0, maximum: 0 },
  run: async ({ options, signal }) => {
    const path = text(options, 'spec');
    if (path === undefined) throw new UsageError('--spec SPEC.json is missing');
    const run = new WindowRun(await readSpec(path));
    process.stdin.once('error', () => {});
    const onAbort = () => process.stdin.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await run.read(process.stdin);
    } catch (error) {
      throwIfAborted(signal, 'garua window');
      throw error;
    }
  },
};

/** A specification that cannot be used is wrong usage; a file that cannot be read is a failure. */
async function readSpec(path: string): Promise<WindowSpec> {
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (cause) {
    throw new StreamSpecError(
      `the specification ${path} cannot be read: ${(cause as Error).message}`,
      'Give the path of a JSON file with --spec.',
      { cause },
    );
  }
  try {
    return parseWindowSpec(JSON.parse(content));
  } catch (error) {
    if (error instanceof StreamSpecError) throw new UsageError(`${path}: ${error.message}. ${error.hint}`);
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`);
  }
}

/** Input is read no faster than output is taken. */
class WindowRun {
  readonly #engine: WindowEngine;
  readonly #needsTime: boolean;
  #lineNumber = 0;
  #output = '';

  constructor(spec: WindowSpec) {
    this.#engine = new WindowEngine(spec);
    this.#needsTime = spec.time === 'event';
  }

  async read(input: NodeJS.ReadableStream): Promise<void> {
    const decoder = new StringDecoder('utf8');
    // An incomplete line is kept in pieces: joining it anew for each chunk would be quadratic.
    let pieces: string[] = [];
    try {
      for await (const chunk of input) {
        const lines = decoder.write(chunk as Buffer).split('\n');
        pieces.push(lines[0]!);
        if (lines.length === 1) continue;
        lines[0] = pieces.join('');
        pieces = [lines.pop()!];
        for (const line of lines) await this.#line(line);
        await this.#write();
      }
      const rest = pieces.join('') + decoder.end();
      if (rest !== '') await this.#line(rest);
      this.#engine.end();
      await this.#drain();
    } catch (error) {
      // What was computed before a wrong line or a failed expression is right; a broken pipe takes nothing.
      if (!(error instanceof GaruaError)) this.#output = '';
      throw error;
    } finally {
      await this.#write();
    }
  }

  #line(line: string): Promise<void> | undefined {
    this.#lineNumber += 1;
    if (line.trim() === '') return undefined;
    const input = parseInput(line, this.#lineNumber, this.#needsTime);
    if (input.kind === 'event') this.#engine.add(input.event);
    else if (input.kind === 'watermark') this.#engine.advanceWatermark(input.value);
    else this.#engine.advanceClock(input.value);
    return this.#drain();
  }

  async #drain(): Promise<void> {
    for (let output = this.#engine.next(); output; output = this.#engine.next()) {
      if (this.#engine.needsSettling && !isLate(output)) await settle(output);
      this.#output += `${JSON.stringify(output)}\n`;
      if (this.#output.length >= OUTPUT_CHUNK) await this.#write();
    }
  }

  async #write(): Promise<void> {
    if (this.#output === '') return;
    const output = this.#output;
    this.#output = '';
    if (!process.stdout.write(output)) await once(process.stdout, 'drain');
  }
}
