import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WindowEngine } from '../engine';
import type { ChangeLog } from '../key-table';
import type { Change, OpenOutcome } from './messages';
import { StateWriter } from './state-writer';

/** Milliseconds of serialising before other work gets its turn. */
const SLICE = 4;
/** Characters that go to the worker in one message. */
const BATCH = 1 << 16;

export interface DurableOptions {
  /** The SQLite file; no other store may use it. */
  path: string;
  /** State saved with other settings is not taken over. */
  settings: string;
}

/**
 * Keeps the state of an engine in a file. Each flush writes the keys that have changed since the last one,
 * as they all were at one moment: a key that changes while the flush is still under way is written down
 * first. So after a crash the file holds the whole state as of the last flush that was completed.
 */
export class DurableState implements ChangeLog {
  epoch = 1;
  readonly outcome: OpenOutcome;
  readonly #engine: WindowEngine;
  readonly #writer: StateWriter;
  #changed = new Set<string>();
  /** Keys that the current flush has not written down yet. */
  #flushing = new Set<string>();
  #batch: Change[] = [];
  #batchSize = 0;
  #current: Promise<void> | undefined;
  #writtenMeta = '';

  private constructor(engine: WindowEngine, writer: StateWriter, outcome: OpenOutcome) {
    this.#engine = engine;
    this.#writer = writer;
    this.outcome = outcome;
    engine.watch(this);
  }

  /**
   * Restores an engine that was just made, and keeps it from then on.
   *
   * @throws {StreamStorageError}
   */
  static async open(engine: WindowEngine, { path, settings }: DurableOptions): Promise<DurableState> {
    const writer = new StateWriter(path);
    try {
      const records: [string, string][] = [];
      const { outcome, meta } = await writer.open(settings, (key, record) => records.push([key, record]));
      if (meta !== undefined) engine.restoreMeta(JSON.parse(meta));
      let until = performance.now() + SLICE;
      for (const [key, record] of records) {
        engine.loadKey(key, JSON.parse(record));
        if (performance.now() < until) continue;
        await nextTurn();
        until = performance.now() + SLICE;
      }
      return new DurableState(engine, writer, outcome);
    } catch (error) {
      await writer.close().catch(() => {});
      throw error;
    }
  }

  /** Forgets what a file holds. */
  static async remove(path: string): Promise<void> {
    await new StateWriter(path).remove();
  }

  note(key: string): void {
    if (this.#flushing.delete(key)) this.#write(key);
    this.#changed.add(key);
  }

  /**
   * Writes what has changed. Call it when the engine has no output left; events may go on while it runs.
   *
   * @throws {StreamStorageError} what it did not write goes with the next flush
   */
  flush(): Promise<void> {
    this.#current ??= this.#flush().finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  /** Writes the rest. The engine must be at rest. */
  async close(): Promise<void> {
    try {
      await this.#current?.catch(() => {});
      await this.flush();
    } finally {
      await this.#writer.close();
    }
  }

  async #flush(): Promise<void> {
    const meta = JSON.stringify(this.#engine.meta());
    const keys = this.#changed;
    // A quiet stream leaves the disk alone.
    if (keys.size === 0 && meta === this.#writtenMeta) return;
    this.#flushing = new Set(keys);
    this.#changed = new Set();
    this.epoch += 1;
    try {
      let until = performance.now() + SLICE;
      for (const key of keys) {
        if (this.#flushing.delete(key)) this.#write(key);
        if (performance.now() < until) continue;
        await nextTurn();
        until = performance.now() + SLICE;
      }
      this.#hand();
      await this.#writer.commit(meta);
      this.#writtenMeta = meta;
    } catch (error) {
      for (const key of keys) this.#changed.add(key);
      throw error;
    }
  }

  #write(key: string): void {
    const record = this.#engine.saveKey(key);
    const text = record === undefined ? null : JSON.stringify(record);
    this.#batch.push([key, text]);
    this.#batchSize += key.length + (text?.length ?? 0);
    if (this.#batchSize > BATCH) this.#hand();
  }

  #hand(): void {
    if (this.#batch.length > 0) this.#writer.put(this.#batch);
    this.#batch = [];
    this.#batchSize = 0;
  }
}
