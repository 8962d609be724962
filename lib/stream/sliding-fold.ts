import type { Aggregate, Counters, FieldReader } from './aggregates';
import type { Columns } from './columns';
import { EventQueue } from './event-queue';
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
    return this.#events.timeAt(0);
  }

  /** The time of the event that entered last; only when there is one. */
  get newestTime(): number {
    return this.#events.timeAt(this.#events.length - 1);
  }

  push(time: number, order: number, value: unknown): void {
    this.#events.push(time, order, value);
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
      const value = this.#events.valueAt(0);
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
  save(): unknown {
    const events = this.#events.items().map(({ time, order, value }) => [time, order, value ?? null]);
    return [this.#front, events];
  }

  load(saved: unknown): void {
    const [front, events] = saved as [number, [time: number, order: number, value: unknown][]];
    events.forEach(([time, order, value], index) => {
      if (index === front && front > 0) this.#turnOver();
      this.push(time, order, value);
    });
    if (front > 0 && front === events.length) this.#turnOver();
  }

  #turnOver(): void {
    const events = this.#events;
    for (const folded of this.#folded) {
      const { aggregate, read, front } = folded;
      front.reset(events.length);
      let newer: unknown;
      for (let index = events.length - 1; index >= 0; index -= 1) {
        const value = read(events.valueAt(index));
        const state = aggregate.lift(value, events.timeAt(index), events.orderAt(index));
        newer = newer === undefined ? state : aggregate.combine(state, newer);
        front.push(newer);
      }
      folded.back = aggregate.empty();
    }
    this.#front = events.length;
  }
}
