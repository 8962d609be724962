import type { NodeStatus } from 'node-red';
import { formatSize, type GaruaError, type Progress } from '../../lib/base';
import type { Translate } from '../fog-messages';

/** At most four updates a second: each goes to every open editor. */
const INTERVAL = 250;
const MAXIMUM_LENGTH = 19;

/** The text under a node of the store: progress at a bearable rate, everything else at once. */
export class StatusLine {
  readonly #prefix: string;
  readonly #show: (status: NodeStatus) => void;
  readonly #translate: Translate;
  #progressAt = 0;
  #shown = '';

  /** `type`: the node's, which its texts stand under. */
  constructor(type: string, show: (status: NodeStatus) => void, translate: Translate) {
    this.#prefix = `${type}.`;
    this.#show = show;
    this.#translate = translate;
  }

  working(): void {
    this.#set('blue', 'ring', this.#word('status.working'));
  }

  progress({ done, total }: Progress): void {
    const now = performance.now();
    if (now - this.#progressAt < INTERVAL) return;
    this.#progressAt = now;
    const amount = total > 0 ? `${Math.floor((done / total) * 100)}%` : formatSize(done);
    this.#set('blue', 'ring', `${this.#word('status.working')} ${amount}`);
  }

  ready(): void {
    this.#set('green', 'dot', this.#word('status.ready'));
  }

  /** `where`: nas or site:NAME. */
  done(where: string): void {
    this.#set('green', 'dot', where);
  }

  waiting(word: string, values?: Record<string, string | number>): void {
    this.#set('yellow', 'ring', this.#word(`status.${word}`, values));
  }

  failed({ code }: GaruaError): void {
    const key = `error.${code}`;
    const text = this.#word(key);
    // Node-RED answers an unknown key with the key.
    this.#set('red', 'ring', text.endsWith(key) ? this.#word('error.failed') : text);
  }

  #word(key: string, values?: Record<string, string | number>): string {
    return this.#translate(this.#prefix + key, values);
  }

  #set(fill: NonNullable<NodeStatus['fill']>, shape: NonNullable<NodeStatus['shape']>, words: string): void {
    const text = words.slice(0, MAXIMUM_LENGTH);
    if (this.#shown === fill + text) return;
    this.#shown = fill + text;
    this.#show({ fill, shape, text });
  }
}
