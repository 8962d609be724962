import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WindowEngine } from '../engine';
import type { ListReader, Span } from '../events';
import type { ChangeLog } from '../key-table';
import { jsonText } from './json-text';
import type { Change, KeyRecord, OpenOutcome } from './messages';
import { decode, encode } from './piece';
import { StateWriter } from './state-writer';

/** Milliseconds of serialising before other work gets its turn. */
const SLICE = 4;
/** Bytes, about, that go to the worker in one message. */
const BATCH = 1 << 16;

/** What stands for a list in the record of its key. */
interface ListRecord {
  list: number;
  /** null when nothing is in it: JSON has no infinity. */
  floor: number | null;
}

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
 *
 * Of a list of single events only what is new is written. It is noted at that moment, too, and made ready a
 * few milliseconds at a time: events in a list do not change any more.
 */
export class DurableState implements ChangeLog {
  epoch = 1;
  readonly outcome: OpenOutcome;
  readonly #engine: WindowEngine;
  readonly #writer: StateWriter;
  #changed = new Set<string>();
  /** Keys that the current flush has not written down yet. */
  #flushing = new Set<string>();
  /** Keys of a flush that failed: what the file holds of their lists is not known. */
  #unsure = new Set<string>();
  /** New events of the current flush that are still to be made ready. */
  #spans: { key: string; list: number; span: Span }[] = [];
  #lastList = 0;
  #batch: Change[] = [];
  #batchSize = 0;
  #current: Promise<void> | undefined;
  #writtenMeta = '';

  private constructor(engine: WindowEngine, writer: StateWriter, outcome: OpenOutcome) {
    this.#engine = engine;
    this.#writer = writer;
    this.outcome = outcome;
  }

  /**
   * Restores an engine that was just made, and keeps it from then on.
   *
   * @throws {StreamStorageError}
   */
  static async open(engine: WindowEngine, { path, settings }: DurableOptions): Promise<DurableState> {
    const writer = new StateWriter(path);
    try {
      const records: KeyRecord[] = [];
      const { outcome, meta } = await writer.open(settings, (record) => records.push(record));
      if (meta !== undefined) engine.restoreMeta(JSON.parse(meta));
      const state = new DurableState(engine, writer, outcome);
      await state.#load(records);
      engine.watch(state);
      return state;
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
      const turn = turns();
      for (const key of keys) {
        if (this.#flushing.delete(key)) this.#write(key);
        await turn();
        await this.#encode(turn);
      }
      this.#hand();
      await this.#writer.commit(meta);
      this.#writtenMeta = meta;
    } catch (error) {
      this.#flushing.clear();
      this.#spans = [];
      this.#batch = [];
      for (const key of keys) {
        this.#changed.add(key);
        this.#unsure.add(key);
      }
      throw error;
    }
  }

  /** Makes ready what is noted by now. */
  async #encode(turn: () => Promise<void> | undefined): Promise<void> {
    for (let next = this.#spans.shift(); next; next = this.#spans.shift()) {
      const { key, list, span } = next;
      const piece = encode(span);
      this.#put({ kind: 'piece', key, list, piece }, piece.stamps.length * 12 + (piece.texts?.length ?? 0));
      await turn();
    }
  }

  #write(key: string): void {
    const whole = this.#unsure.delete(key);
    const lists: { list: number; floor: number; byTime: boolean }[] = [];
    const record = this.#engine.saveKey(key, (events): ListRecord => {
      if (events.id === undefined) {
        this.#lastList += 1;
        events.id = this.#lastList;
      }
      const list = events.id;
      const { floor, spans } = events.changes(whole);
      for (const span of spans) this.#spans.push({ key, list, span });
      lists.push({ list, floor, byTime: events.byTime });
      return { list, floor: Number.isFinite(floor) ? floor : null };
    });
    const text = record === undefined ? null : jsonText(record);
    this.#put({ kind: 'key', key, record: text, lists, whole }, key.length + (text?.length ?? 0));
  }

  #put(change: Change, size: number): void {
    this.#batch.push(change);
    this.#batchSize += size;
    if (this.#batchSize > BATCH) this.#hand();
  }

  #hand(): void {
    if (this.#batch.length > 0) this.#writer.put(this.#batch);
    this.#batch = [];
    this.#batchSize = 0;
  }

  async #load(records: KeyRecord[]): Promise<void> {
    const turn = turns();
    for (const { key, record, pieces } of records) {
      const lists = new Map<number, Span[]>();
      for (const { list, piece } of pieces) {
        const spans = lists.get(list) ?? [];
        spans.push(decode(piece));
        lists.set(list, spans);
        this.#lastList = Math.max(this.#lastList, list);
        await turn();
      }
      const read: ListReader = (saved) => {
        const { list, floor } = saved as ListRecord;
        this.#lastList = Math.max(this.#lastList, list);
        return { id: list, floor: floor ?? Number.POSITIVE_INFINITY, spans: lists.get(list) ?? [] };
      };
      this.#engine.loadKey(key, JSON.parse(record), read);
      await turn();
    }
  }
}

/** A function to call often: now and then it gives other work its turn. */
function turns(): () => Promise<void> | undefined {
  let until = performance.now() + SLICE;
  return () => {
    if (performance.now() < until) return undefined;
    return nextTurn().then(() => {
      until = performance.now() + SLICE;
    });
  };
}
