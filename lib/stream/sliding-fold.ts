import type { Aggregate, Counters, FieldReader } from './aggregates';
import type { Columns } from './columns';
import { EventQueue, type ListReader, type ListWriter } from './events';
import { type StateStack, stateStack } from './state-stack';

interface Folded {
  at: number;
  aggregate: Aggregate;
  read: FieldReader;
  /** States of the front: the topmost is that of the whole front. */
  front: StateStack;
  back: unknown;
}

interface Counted {
  at: number;
  counters: Counters<unknown>;
  read: FieldReader;
  state: unknown;
}

/**
 * Aggregates of a first-in-first-out window, O(1) amortised per event at any width: two stacks (Tangwongsan,
 * Hirzel, Schneider, Low-latency sliding-window aggregation in worst-case constant time, DEBS 2017).
 *
 * The back holds what came last and one running state. When the front runs empty, the back is turned over
 * into it, each event with the state of all that are newer in the front: evicting is a pop, so nothing is
 * ever subtracted from a float. States of integer counters are kept as one, events taken out again.
 */
export class SlidingFold {
  readonly #columns: Columns;
  readonly #folded: Folded[] = [];
  readonly #counted: Counted[] = [];
  /** Columns answered from the events themselves. */
  readonly #listed: number[] = [];
  readonly #events = new EventQueue();
  /** How many of the oldest events are in the front. */
  #front = 0;

  constructor(columns: Columns) {
    this.#columns = columns;
    columns.list.forEach(({ aggregate, read }, at) => {
      const { lowerItems, counters } = aggregate;
      if (lowerItems) this.#listed.push(at);
      else if (counters) this.#counted.push({ at, counters, read, state: counters.empty() });
      else this.#folded.push({ at, aggregate, read, front: stateStack(aggregate), back: aggregate.empty() });
    });
  }

  get length(): number {
    return this.#events.length;
  }

  /** The time of the event that entered first; only when there is one. */
  get oldestTime(): number {
    return this.#events.oldestTime;
  }

  /** The time of the event that entered last; only when there is one. */
  get newestTime(): number {
    return this.#events.newestTime;
  }

  push(time: number, order: number, value: unknown): void {
    this.#events.push(time, order, value);
    this.#fold(time, order, value);
  }

  #fold(time: number, order: number, value: unknown): void {
    for (const folded of this.#folded) {
      folded.back = folded.aggregate.add(folded.back, folded.read(value), time, order);
    }
    for (const { counters, state, read } of this.#counted) counters.add(state, read(value));
  }

  /** Takes the oldest event out. */
  evict(): void {
    if (this.#events.length === 0) return;
    if (this.#front === 0) this.#turnOver();
    for (const { front } of this.#folded) front.pop();
    if (this.#counted.length > 0) {
      const value = this.#events.oldestValue;
      for (const { counters, state, read } of this.#counted) counters.remove(state, read(value));
    }
    this.#events.shift();
    this.#front -= 1;
  }

  /** The answer of each column. */
  lower(): unknown[] {
    const answers = new Array<unknown>(this.#columns.list.length);
    for (const { at, aggregate, front, back } of this.#folded) {
      answers[at] = aggregate.lower(this.#front === 0 ? back : aggregate.combine(front.top(), back));
    }
    for (const { at, counters, state } of this.#counted) answers[at] = counters.lower(state);
    if (this.#listed.length > 0) {
      const items = this.#events.items();
      for (const at of this.#listed) answers[at] = this.#columns.lowerItems(at, items);
    }
    return answers;
  }

  clear(): void {
    this.#events.clear();
    this.#front = 0;
    for (const folded of this.#folded) {
      folded.front.reset(0);
      folded.back = folded.aggregate.empty();
    }
    for (const counted of this.#counted) counted.state = counted.counters.empty();
  }

  /** Its events, and how many of them lie in the front: restored, it answers to the same bit. */
  save(write: ListWriter): unknown {
    return [this.#front, write(this.#events)];
  }

  load(saved: unknown, read: ListReader): void {
    const [front, list] = saved as [number, unknown];
    this.#events.load(read(list), (time, order, value) => {
      this.#fold(time, order, value);
      if (this.#events.length === front) this.#turnOver();
    });
  }

  #turnOver(): void {
    const { length } = this.#events;
    for (const folded of this.#folded) {
      const { aggregate, read, front } = folded;
      front.reset(length);
      let newer: unknown;
      this.#events.visitBackwards((time, order, value) => {
        const state = aggregate.lift(read(value), time, order);
        newer = newer === undefined ? state : aggregate.combine(state, newer);
        front.push(newer);
      });
      folded.back = aggregate.empty();
    }
    this.#front = length;
  }
}
