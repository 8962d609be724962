import type { NodeStatus } from 'node-red';
import { formatSize, type GaruaError, type Progress } from '../../lib/base';

/** Answers a text of a node's catalogue; for a key that it does not know, the key. */
export type Translate = (key: string, values?: Record<string, string | number>) => string;

type Values = Record<string, string | number>;

/** At most four updates a second: each goes to every open editor. */
const INTERVAL = 250;
const MAXIMUM_LENGTH = 19;

/**
 * The text under a node, sent only when it changes: progress at a bearable rate, everything else at once. The words
 * stand in the node's catalogue under `status`, those of errors under `error`.
 */
export class StatusLine {
  readonly #type: string;
  readonly #show: (status: NodeStatus) => void;
  readonly #translate: Translate;
  #progressAt = 0;
  #shown = '';

  constructor(type: string, show: (status: NodeStatus) => void, translate: Translate) {
    this.#type = type;
    this.#show = show;
    this.#translate = translate;
  }

  working(word = 'working'): void {
    this.#set('blue', 'ring', this.#word(word));
  }

  progress({ done, total }: Progress, word = 'working'): void {
    const now = performance.now();
    if (now - this.#progressAt < INTERVAL) return;
    this.#progressAt = now;
    const amount = total > 0 ? `${Math.floor((done / total) * 100)}%` : formatSize(done);
    this.#set('blue', 'ring', `${this.#word(word)} ${amount}`);
  }

  ok(word: string, values?: Values): void {
    this.#set('green', 'dot', this.#word(word, values));
  }

  /** Done, in words that are the same in every language, such as the name of a site. */
  done(text: string): void {
    this.#set('green', 'dot', text);
  }

  waiting(word: string, values?: Values): void {
    this.#set('yellow', 'ring', this.#word(word, values));
  }

  failed(word = 'failed'): void {
    this.#set('red', 'ring', this.#word(word));
  }

  /** What the catalogue calls an error of that code, or an error as such. */
  error({ code }: GaruaError): void {
    const key = `${this.#type}.error.${code}`;
    const text = this.#translate(key);
    // Node-RED answers an unknown key with the key.
    this.#set('red', 'ring', text.endsWith(key) ? this.#translate(`${this.#type}.error.failed`) : text);
  }

  #word(word: string, values?: Values): string {
    return this.#translate(`${this.#type}.status.${word}`, values);
  }

  #set(fill: NonNullable<NodeStatus['fill']>, shape: NonNullable<NodeStatus['shape']>, words: string): void {
    const text = words.slice(0, MAXIMUM_LENGTH);
    if (this.#shown === fill + text) return;
    this.#shown = fill + text;
    this.#show({ fill, shape, text });
  }
}
