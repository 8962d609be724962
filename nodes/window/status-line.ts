import type { NodeStatus } from 'node-red';
import type { WindowEngine } from '../../lib/stream';
import { shortDuration } from './duration';

export type Translate = (key: string, values?: Record<string, string | number>) => string;

/** Two updates a second at most: each goes to every open editor. */
const INTERVAL = 500;
/** How long a reached limit, or a failure, is shown after it came up last. */
const SHOWN = 5_000;
const MAXIMUM_LENGTH = 19;

/** The text under the node: open windows and how far the watermark is behind. */
export class StatusLine {
  readonly #engine: WindowEngine;
  readonly #show: (status: NodeStatus) => void;
  readonly #translate: Translate;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #shown = '';
  #limitUntil = 0;
  #failure: string | undefined;
  #failureUntil = 0;
  #lastingFailure: string | undefined;

  constructor(
    engine: WindowEngine,
    options: { show: (status: NodeStatus) => void; translate: Translate; now: () => number },
  ) {
    this.#engine = engine;
    this.#show = options.show;
    this.#translate = options.translate;
    this.#now = options.now;
    this.#timer = setInterval(() => this.update(), INTERVAL);
  }

  limitReached(): void {
    this.#limitUntil = this.#now() + SHOWN;
  }

  /** @param forGood whether it stays until the node is deployed again */
  failed(code: string, forGood: boolean): void {
    if (forGood) this.#lastingFailure = code;
    this.#failure = code;
    this.#failureUntil = this.#now() + SHOWN;
    this.update();
  }

  update(): void {
    const status = this.#status();
    const text = JSON.stringify(status);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#show(status);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #status(): NodeStatus {
    const failure = this.#now() < this.#failureUntil ? this.#failure : this.#lastingFailure;
    if (failure) {
      const key = `window.error.${failure}`;
      const text = this.#translate(key);
      const known = text.endsWith(key) ? this.#translate('window.error.failed') : text;
      return { fill: 'red', shape: 'ring', text: known.slice(0, MAXIMUM_LENGTH) };
    }
    if (this.#now() < this.#limitUntil) {
      return {
        fill: 'yellow',
        shape: 'ring',
        text: this.#translate('window.status.limit').slice(0, MAXIMUM_LENGTH),
      };
    }
    const { windows } = this.#engine.fill;
    const { watermark, spec } = this.#engine;
    const open = this.#translate('window.status.open', { windows: shortNumber(windows) });
    if (spec.time === 'processing' || spec.type === 'count' || !Number.isFinite(watermark)) {
      return { fill: 'green', shape: 'dot', text: open };
    }
    const lag = shortDuration(Math.max(0, this.#now() - watermark));
    const text = this.#translate('window.status.lag', { windows: shortNumber(windows), lag });
    return { fill: 'green', shape: 'dot', text: text.slice(0, MAXIMUM_LENGTH) };
  }
}

function shortNumber(n: number): string {
  return n < 10_000 ? String(n) : `${Math.round(n / 1_000)}k`;
}
