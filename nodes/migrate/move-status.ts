import type { NodeStatus } from 'node-red';
import type { MigrationProgress } from '../../lib/host';
import type { Translate } from '../feedback';
import { progressText } from './progress-text';
import type { State } from './watches';

/** At most four updates a second: each goes to every open editor. */
const INTERVAL = 250;
const MAXIMUM_LENGTH = 19;

/** The text under a migrate node: how a move is going, how it ended, or what is being watched. */
export class MoveStatus {
  readonly #show: (status: NodeStatus) => void;
  readonly #translate: Translate;
  #progressAt = 0;
  #watched = '';

  constructor(show: (status: NodeStatus) => void, translate: Translate) {
    this.#show = show;
    this.#translate = translate;
  }

  progress(progress: MigrationProgress): void {
    const now = performance.now();
    if (now - this.#progressAt < INTERVAL) return;
    this.#progressAt = now;
    this.#show({ fill: 'blue', shape: 'ring', text: progressText(progress, this.#translate) });
  }

  ok(word: string, values?: Record<string, string>): void {
    this.#say('green', 'dot', word, values);
  }

  waiting(word: string, values?: Record<string, string>): void {
    this.#say('yellow', 'ring', word, values);
  }

  failed(): void {
    this.#say('red', 'ring', 'failed');
  }

  /** What is watched shows when it changes; until then the end of the last move stays readable. */
  watched({ level, word, values }: State): void {
    const key = JSON.stringify([word, values]);
    if (key === this.#watched) return;
    this.#watched = key;
    this[level](word, values);
  }

  /** The next `watched` shows in any case. */
  unwatched(): void {
    this.#watched = '';
  }

  #say(
    fill: NonNullable<NodeStatus['fill']>,
    shape: NonNullable<NodeStatus['shape']>,
    word: string,
    values?: Record<string, string>,
  ): void {
    const text = this.#translate(`migrate.status.${word}`, values).slice(0, MAXIMUM_LENGTH);
    this.#show({ fill, shape, text });
  }
}
