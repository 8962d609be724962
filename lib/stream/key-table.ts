import type { Histories } from './columns';

/** What every strategy keeps of a key. */
export interface KeyState {
  readonly key: string;
  /** Clock at its last event. */
  touchedAt: number;
  histories: Histories;
  /** The change log's epoch in which it was last noted as changed. */
  epoch: number;
}

/** Is told before a key changes, comes or goes: durable state is built on it. */
export interface ChangeLog {
  /** A key whose `epoch` is this has been noted already. */
  readonly epoch: number;
  note(key: string): void;
}

const NO_LOG: ChangeLog = { epoch: 0, note: () => {} };

/** The keys that an engine knows. */
export class KeyTable<K extends KeyState> {
  readonly #keys = new Map<string, K>();
  #log = NO_LOG;

  get size(): number {
    return this.#keys.size;
  }

  get(key: string): K | undefined {
    return this.#keys.get(key);
  }

  names(): IterableIterator<string> {
    return this.#keys.keys();
  }

  values(): IterableIterator<K> {
    return this.#keys.values();
  }

  add(state: K): void {
    this.#log.note(state.key);
    state.epoch = this.#log.epoch;
    this.#keys.set(state.key, state);
  }

  delete(state: K): void {
    this.change(state);
    this.#keys.delete(state.key);
  }

  /** Must be called before a key's state is changed. */
  change(state: K): void {
    if (state.epoch === this.#log.epoch) return;
    this.#log.note(state.key);
    state.epoch = this.#log.epoch;
  }

  watch(log: ChangeLog): void {
    this.#log = log;
  }
}
