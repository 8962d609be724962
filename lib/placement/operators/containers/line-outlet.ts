import { setTimeout as delay } from 'node:timers/promises';
import { toGaruaError } from '../../../base';
import type { LogMark } from '../../../container';
import type { Messages } from '../../../mesh';
import { partitionOf } from '../partition';
import type { PortMeasures, PortTarget } from '../ports';
import { type ProgramLine, propertyOf } from './lines';

/** A line of a program, and its place in the log. */
export interface OutLine extends ProgramLine {
  mark: LogMark;
}

export interface LineOutletParts {
  messages: Pick<Messages, 'publish' | 'expectSubscriber'>;
  targets: readonly PortTarget[];
  /** What these lines say is on its way. */
  onSent(lines: readonly OutLine[]): void;
}

/** Lines that may wait for their turn; with more, the program is given nothing. */
const ROOM = 1_000;
/** Lines and characters that go at once. */
const ROUND = 500;
const ROUND_SIZE = 256 << 10;
/** As at the outputs of a subflow: a full queue refuses, and the operator waits. */
const LIMIT = { maximumMessages: 10_000, policy: 'refuse' } as const;
const PAUSE = 500;

/** Publishes what a program says, in its order, to all targets. */
export class LineOutlet {
  readonly #parts: LineOutletParts;
  readonly #closing = new AbortController();
  readonly #expected = new Set<string>();
  #waiting: OutLine[] = [];
  #running: Promise<void> | undefined;
  #sent: PortMeasures['out'] = {};

  constructor(parts: LineOutletParts) {
    this.#parts = parts;
  }

  get isFull(): boolean {
    return this.#waiting.length >= ROOM;
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** Resolves when all that was said is on its way. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Resolves when there is room for more. */
  async send(line: OutLine): Promise<void> {
    this.#waiting.push(line);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    if (this.isFull) await this.#running;
  }

  /** What was sent since the call before, by topic. */
  takeSent(): PortMeasures['out'] {
    const sent = this.#sent;
    this.#sent = {};
    return sent;
  }

  /** What is not sent by then comes again out of the log. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#waiting.length > 0 && !signal.aborted) {
      const round = this.#round();
      const topics = new Map<string, { texts: string[]; isOperator: boolean }>();
      for (const { body, message } of round) {
        if (body !== undefined) for (const target of this.#parts.targets) add(topics, target, message, body);
      }
      await Promise.all([...topics].map(([topic, all]) => this.#publish(topic, all)));
      if (!signal.aborted) this.#parts.onSent(round);
    }
  }

  #round(): OutLine[] {
    let size = 0;
    const end = this.#waiting.findIndex(({ body }, at) => {
      size += body?.length ?? 0;
      return at > 0 && (size > ROUND_SIZE || at >= ROUND);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  /** Again and again, until the host has it on its disk. */
  async #publish(
    topic: string,
    { texts, isOperator }: { texts: string[]; isOperator: boolean },
  ): Promise<void> {
    const { signal } = this.#closing;
    const { messages } = this.#parts;
    for (let isAgain = false; !signal.aborted; ) {
      try {
        if (isOperator && !this.#expected.has(topic)) await messages.expectSubscriber(topic, topic);
        if (isOperator) this.#expected.add(topic);
        const { subscribers } = await messages.publish(topic, texts, LIMIT);
        // The operator was removed and deployed again: its queue is to be made anew.
        if (subscribers === 0 && !isAgain && this.#expected.delete(topic)) {
          isAgain = true;
          continue;
        }
        const { messages: before, bytes } = this.#sent[topic] ?? { messages: 0, bytes: 0 };
        const size = texts.reduce((sum, text) => sum + text.length, bytes);
        this.#sent[topic] = { messages: before + texts.length, bytes: size };
        return;
      } catch (error) {
        // It would fail for ever.
        if (toGaruaError(error).code === 'ERR_INVALID_ARGUMENT') return;
        await delay(PAUSE, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }
}

function add(
  topics: Map<string, { texts: string[]; isOperator: boolean }>,
  { topic, isOperator, key }: PortTarget,
  message: Record<string, unknown>,
  body: string,
): void {
  const name = key === undefined ? topic : `${topic}/${partitionOf(keyOf(message, key))}`;
  const all = topics.get(name);
  if (all) all.texts.push(body);
  else topics.set(name, { texts: [body], isOperator });
}

function keyOf(message: Record<string, unknown>, property: string): string {
  const value = propertyOf(message, property);
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}
