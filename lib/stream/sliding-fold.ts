import type { Counters, Item } from './aggregates';
import type { Columns } from './columns';

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
  /** Columns that are folded, counted, or answered from the events themselves. */
  readonly #folded: number[] = [];
  readonly #counted: { at: number; counters: Counters<unknown>; state: unknown }[] = [];
  readonly #listed: number[] = [];
  /** Newest first: the oldest event is popped. */
  #front: Item[] = [];
  readonly #frontStates: unknown[][];
  #back: Item[] = [];
  readonly #backStates: unknown[];

  constructor(columns: Columns) {
    this.#columns = columns;
    columns.list.forEach(({ aggregate }, at) => {
      const { lowerItems, counters } = aggregate;
      if (lowerItems) this.#listed.push(at);
      else if (counters) this.#counted.push({ at, counters, state: counters.empty() });
      else this.#folded.push(at);
    });
    this.#frontStates = this.#folded.map(() => []);
    this.#backStates = this.#folded.map((at) => columns.list[at]!.aggregate.empty());
  }

  get length(): number {
    return this.#front.length + this.#back.length;
  }

  get oldest(): Item | undefined {
    return this.#front.length > 0 ? this.#front[this.#front.length - 1] : this.#back[0];
  }

  get newest(): Item | undefined {
    return this.#back.length > 0 ? this.#back[this.#back.length - 1] : this.#front[0];
  }

  push(item: Item): void {
    this.#back.push(item);
    const { list } = this.#columns;
    for (let n = 0; n < this.#folded.length; n += 1) {
      const { aggregate, read } = list[this.#folded[n]!]!;
      this.#backStates[n] = aggregate.add(this.#backStates[n], read(item.value), item.time, item.order);
    }
    for (const { at, counters, state } of this.#counted) counters.add(state, list[at]!.read(item.value));
  }

  /** Takes the oldest event out. */
  evict(): void {
    if (this.#front.length === 0) this.#turnOver();
    const item = this.#front.pop();
    if (!item) return;
    for (const states of this.#frontStates) states.pop();
    for (const { at, counters, state } of this.#counted) {
      counters.remove(state, this.#columns.list[at]!.read(item.value));
    }
  }

  /** The answer of each column. */
  lower(): unknown[] {
    const { list } = this.#columns;
    const answers = new Array<unknown>(list.length);
    const top = this.#front.length - 1;
    for (let n = 0; n < this.#folded.length; n += 1) {
      const at = this.#folded[n]!;
      const { aggregate } = list[at]!;
      const back = this.#backStates[n];
      const state = top < 0 ? back : aggregate.combine(this.#frontStates[n]![top], back);
      answers[at] = aggregate.lower(state);
    }
    for (const { at, counters, state } of this.#counted) answers[at] = counters.lower(state);
    if (this.#listed.length > 0) {
      const items = [...this.#front].reverse().concat(this.#back);
      for (const at of this.#listed) answers[at] = this.#columns.lowerItems(at, items);
    }
    return answers;
  }

  clear(): void {
    this.#front = [];
    this.#back = [];
    for (const states of this.#frontStates) states.length = 0;
    this.#folded.forEach((at, n) => {
      this.#backStates[n] = this.#columns.list[at]!.aggregate.empty();
    });
    for (const counted of this.#counted) counted.state = counted.counters.empty();
  }

  /** Its events, and which of them lie in the front: restored, it answers to the same bit. */
  save(): unknown {
    return [[...this.#front].reverse().map(saveItem), this.#back.map(saveItem)];
  }

  load(saved: unknown): void {
    const [front, back] = saved as [SavedItem[], SavedItem[]];
    for (const item of front) this.push(loadItem(item));
    if (front.length > 0) this.#turnOver();
    for (const item of back) this.push(loadItem(item));
  }

  #turnOver(): void {
    const { list } = this.#columns;
    const back = this.#back;
    this.#back = [];
    for (let n = 0; n < this.#folded.length; n += 1) {
      const { aggregate, read } = list[this.#folded[n]!]!;
      const states: unknown[] = [];
      let newer: unknown;
      for (let at = back.length - 1; at >= 0; at -= 1) {
        const { value, time, order } = back[at]!;
        const state = aggregate.lift(read(value), time, order);
        newer = newer === undefined ? state : aggregate.combine(state, newer);
        states.push(newer);
      }
      this.#frontStates[n] = states;
      this.#backStates[n] = aggregate.empty();
    }
    this.#front = back.reverse();
  }
}

type SavedItem = [time: number, order: number, value: unknown];

export function saveItem({ time, order, value }: Item): SavedItem {
  return [time, order, value ?? null];
}

export function loadItem([time, order, value]: SavedItem): Item {
  return { time, order, value };
}
