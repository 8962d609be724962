import type { Item } from '../aggregates';
import type { EventList, ListChanges, ReadList, SavedEvent, Span } from './event-list';

const SMALLEST_BLOCK = 4;
const LARGEST_BLOCK = 1_024;

interface Block {
  /** Index of its first event, counted from the queue's beginning. */
  readonly start: number;
  /** Time and order of each event, in turn. */
  readonly stamps: Float64Array;
  readonly values: unknown[];
}

type Visit = (time: number, order: number, value: unknown) => void;

const NO_BLOCK: Block = { start: 0, stamps: new Float64Array(0), values: [] };

/**
 * Events in the order in which they entered a window. Times and orders lie in arrays of doubles: an object
 * per event would make the garbage collector the most expensive part of a wide window. What a block holds
 * never changes, so a file can take it over while events go on.
 */
export class EventQueue implements EventList {
  id: number | undefined;
  readonly byTime = false;
  #blocks: Block[] = [];
  #head = NO_BLOCK;
  #tail = NO_BLOCK;
  /** Index of the oldest event, and of the one that comes next. */
  #first = 0;
  #end = 0;
  /** Events before this index are in the file. */
  #written = 0;

  get length(): number {
    return this.#end - this.#first;
  }

  /** The time of the event that entered first; only when there is one. */
  get oldestTime(): number {
    return this.#head.stamps[2 * (this.#first - this.#head.start)]!;
  }

  /** The value of the event that entered first; only when there is one. */
  get oldestValue(): unknown {
    return this.#head.values[this.#first - this.#head.start];
  }

  /** The time of the event that entered last; only when there is one. */
  get newestTime(): number {
    return this.#tail.stamps[2 * (this.#end - 1 - this.#tail.start)]!;
  }

  push(time: number, order: number, value: unknown): void {
    let slot = this.#end - this.#tail.start;
    if (slot >= this.#tail.values.length) {
      this.#grow();
      slot = 0;
    }
    const { stamps, values } = this.#tail;
    stamps[2 * slot] = time;
    stamps[2 * slot + 1] = order;
    values[slot] = value;
    this.#end += 1;
  }

  /** Drops the oldest; only when there is one. */
  shift(): void {
    this.#first += 1;
    if (this.#first - this.#head.start < this.#head.values.length) return;
    this.#blocks.shift();
    this.#head = this.#blocks[0] ?? NO_BLOCK;
    if (this.#head === NO_BLOCK) this.#tail = NO_BLOCK;
  }

  clear(): void {
    this.#first = this.#end;
    this.#blocks = [];
    this.#head = NO_BLOCK;
    this.#tail = NO_BLOCK;
  }

  visit(visit: Visit): void {
    for (const { stamps, values, from, to } of this.#spans(this.#first)) {
      for (let slot = from; slot < to; slot += 1) {
        visit(stamps[2 * slot]!, stamps[2 * slot + 1]!, values[slot]);
      }
    }
  }

  visitBackwards(visit: Visit): void {
    for (const { stamps, values, from, to } of this.#spans(this.#first).reverse()) {
      for (let slot = to - 1; slot >= from; slot -= 1) {
        visit(stamps[2 * slot]!, stamps[2 * slot + 1]!, values[slot]);
      }
    }
  }

  items(): Item[] {
    const items: Item[] = [];
    this.visit((time, order, value) => {
      items.push({ time, order, value });
    });
    return items;
  }

  save(): SavedEvent[] {
    const events: SavedEvent[] = [];
    this.visit((time, order, value) => {
      events.push([time, order, value ?? null]);
    });
    return events;
  }

  changes(whole: boolean): ListChanges {
    const spans = this.#spans(whole ? this.#first : Math.max(this.#first, this.#written));
    this.#written = this.#end;
    return { floor: this.#first, spans };
  }

  /**
   * Takes over a list that was read back; only right after construction.
   *
   * @param visit called with each event once it is in
   */
  load({ id, floor, spans }: ReadList, visit?: Visit): void {
    this.id = id;
    this.#first = spans.length === 0 ? Math.max(0, floor) : Math.max(floor, spans[0]!.first);
    this.#end = this.#first;
    for (const { first, stamps, values, from, to } of spans) {
      for (let slot = Math.max(from, this.#first - first); slot < to; slot += 1) {
        this.push(stamps[2 * slot]!, stamps[2 * slot + 1]!, values[slot]);
        visit?.(stamps[2 * slot]!, stamps[2 * slot + 1]!, values[slot]);
      }
    }
    if (id !== undefined) this.#written = this.#end;
  }

  /** What is held from an index on. */
  #spans(index: number): Span[] {
    const spans: Span[] = [];
    for (const { start, stamps, values } of this.#blocks) {
      const from = Math.max(0, index - start);
      const to = Math.min(values.length, this.#end - start);
      if (from < to) spans.push({ first: start + from, last: start + to - 1, stamps, values, from, to });
    }
    return spans;
  }

  /** A small queue gets small blocks: there may be a hundred thousand of them. */
  #grow(): void {
    let capacity = SMALLEST_BLOCK;
    while (capacity < this.length && capacity < LARGEST_BLOCK) capacity *= 2;
    const block = {
      start: this.#end,
      stamps: new Float64Array(2 * capacity),
      values: new Array<unknown>(capacity),
    };
    this.#blocks.push(block);
    this.#tail = block;
    if (this.#blocks.length === 1) this.#head = block;
  }
}
