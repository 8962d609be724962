import type { NodeStatus } from 'node-red';

export type Translate = (key: string, values?: Record<string, string | number>) => string;

const MAXIMUM_LENGTH = 19;

/** The text under a node, sent only when it changes. */
export class StatusLine {
  readonly #show: (status: NodeStatus) => void;
  readonly #translate: Translate;
  readonly #prefix: string;
  #shown = '';

  /** `type`: the node's, which its texts stand under. */
  constructor(type: string, show: (status: NodeStatus) => void, translate: Translate) {
    this.#prefix = `${type}.status.`;
    this.#show = show;
    this.#translate = translate;
  }

  working(word: string): void {
    this.#set('blue', 'ring', word);
  }

  ok(word: string, values?: Record<string, string | number>): void {
    this.#set('green', 'dot', word, values);
  }

  waiting(word: string, values?: Record<string, string | number>): void {
    this.#set('yellow', 'ring', word, values);
  }

  failed(word = 'failed'): void {
    this.#set('red', 'ring', word);
  }

  #set(
    fill: NonNullable<NodeStatus['fill']>,
    shape: NonNullable<NodeStatus['shape']>,
    word: string,
    values?: Record<string, string | number>,
  ): void {
    const text = this.#translate(this.#prefix + word, values).slice(0, MAXIMUM_LENGTH);
    if (this.#shown === fill + text) return;
    this.#shown = fill + text;
    this.#show({ fill, shape, text });
  }
}
