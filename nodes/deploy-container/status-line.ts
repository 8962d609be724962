import type { NodeStatus } from 'node-red';
import type { GaruaError, Progress } from '../../lib/base';
import type { ContainerStatus } from '../../lib/container';

export type Translate = (key: string, values?: Record<string, string | number>) => string;

/** At most four updates a second: each goes to every open editor. */
const INTERVAL = 250;
const MAXIMUM_LENGTH = 19;
const PREFIX = 'deploy-container.';

/** The text under the node: progress at a bearable rate, everything else at once. */
export class StatusLine {
  readonly #show: (status: NodeStatus) => void;
  readonly #translate: Translate;
  #shownAt = 0;
  #text = '';
  #waiting: NodeStatus | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(show: (status: NodeStatus) => void, translate: Translate) {
    this.#show = show;
    this.#translate = translate;
  }

  working(word: string): void {
    this.#set({ fill: 'blue', shape: 'ring', text: this.#word('phase', word) });
  }

  progress({ phase, done, total, unit }: Progress): void {
    const word = this.#word('phase', phase);
    // Three steps in no time are no percentage.
    const percent =
      total > 0 && unit === 'bytes' ? ` ${Math.min(100, Math.floor((done / total) * 100))}%` : '';
    const status: NodeStatus = {
      fill: 'blue',
      shape: 'ring',
      text: word.slice(0, MAXIMUM_LENGTH - percent.length) + percent,
    };
    const wait = this.#shownAt + INTERVAL - Date.now();
    if (wait <= 0) {
      this.#set(status);
      return;
    }
    this.#waiting = status;
    this.#timer ??= setTimeout(() => this.#set(this.#waiting!), wait);
  }

  container(status: ContainerStatus): void {
    const [fill, shape, word, detail] = lookOf(status);
    const text = this.#word('state', word);
    this.#set({ fill, shape, text: detail === undefined ? text : `${text} ${detail}` });
  }

  /** So many of its instances can do their work. */
  replicas(ready: number, wanted: number): void {
    const [fill, shape] = ready >= wanted ? (['green', 'dot'] as const) : (['yellow', 'ring'] as const);
    this.#set({ fill, shape, text: this.#translate(`${PREFIX}state.instances`, { ready, wanted }) });
  }

  /** Something has to come up first. */
  waiting(missing: string): void {
    this.#set({ fill: 'yellow', shape: 'ring', text: this.#word('waiting', missing) });
  }

  removed(): void {
    this.#set({ fill: 'yellow', shape: 'ring', text: this.#word('state', 'removed') });
  }

  error({ code }: GaruaError): void {
    // What a policy refuses has a code of its own for each field.
    const word = /^ERR_POLICY_(?!INVALID)/.test(code) ? 'ERR_POLICY' : code;
    this.#set({ fill: 'red', shape: 'ring', text: this.#word('error', word, 'failed') });
  }

  /** Shows nothing more that is still waiting. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #set(status: NodeStatus): void {
    this.close();
    this.#shownAt = Date.now();
    const text = JSON.stringify(status);
    if (text === this.#text) return;
    this.#text = text;
    this.#show(status.text ? { ...status, text: status.text.slice(0, MAXIMUM_LENGTH) } : status);
  }

  /** The catalogue's word; for one that it does not know, `fallback` or the word itself. */
  #word(kind: string, word: string, fallback?: string): string {
    const key = `${PREFIX}${kind}.${word}`;
    const text = this.#translate(key);
    // Node-RED answers an unknown key with the key, with or without the catalogue's name.
    if (!text.endsWith(key)) return text;
    return fallback ? this.#word(kind, fallback) : word;
  }
}

type Look = [
  NonNullable<NodeStatus['fill']>,
  NonNullable<NodeStatus['shape']>,
  word: string,
  detail?: string,
];

/** How a container looks from afar: green works, yellow waits, red does not work. */
function lookOf({ state, exitCode, reason, health, restarts, rolledBack }: ContainerStatus): Look {
  if (state === 'restarting') return ['yellow', 'ring', 'restarting', String(restarts + 1)];
  if (state === 'failed') {
    if (/^out of memory/.test(reason ?? '')) return ['red', 'ring', 'out-of-memory'];
    return ['red', 'ring', 'failed', exitCode === null ? undefined : `(${exitCode})`];
  }
  if (state !== 'running') return ['yellow', 'ring', state];
  // A container that is alive may still be unable to do its work.
  if (health === 'unhealthy') {
    return /^readiness/.test(reason ?? '') ? ['yellow', 'ring', 'not-ready'] : ['red', 'ring', 'unhealthy'];
  }
  if (rolledBack) return ['yellow', 'ring', 'rolled-back'];
  if (health === 'starting') return ['yellow', 'ring', 'starting'];
  return ['green', 'dot', health === 'healthy' ? 'healthy' : 'running'];
}
