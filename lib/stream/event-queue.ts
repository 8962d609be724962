import type { Item } from './aggregates';

const FIRST_CAPACITY = 8;

/**
 * Events in the order in which they entered a window, in a ring. Times and orders lie in arrays of doubles:
 * an object per event would make the garbage collector the most expensive part of a wide window.
 */
export class EventQueue {
  #times = new Float64Array(FIRST_CAPACITY);
  #orders = new Float64Array(FIRST_CAPACITY);
  #values = new Array<unknown>(FIRST_CAPACITY).fill(undefined);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  timeAt(index: number): number {
    return this.#times[this.#slot(index)]!;
  }

  orderAt(index: number): number {
    return this.#orders[this.#slot(index)]!;
  }

  valueAt(index: number): unknown {
    return this.#values[this.#slot(index)];
  }

  push(time: number, order: number, value: unknown): void {
    if (this.#length === this.#values.length) this.#resize(this.#length * 2);
    const slot = this.#slot(this.#length);
    this.#times[slot] = time;
    this.#orders[slot] = order;
    this.#values[slot] = value;
    this.#length += 1;
  }

  /** Drops the oldest. */
  shift(): void {
    this.#values[this.#head] = undefined;
    this.#head = this.#slot(1);
    this.#length -= 1;
    if (this.#length * 8 < this.#values.length && this.#values.length > FIRST_CAPACITY) {
      this.#resize(this.#values.length / 2);
    }
  }

  clear(): void {
    this.#length = 0;
    this.#head = 0;
    this.#resize(FIRST_CAPACITY);
  }

  items(): Item[] {
    return Array.from({ length: this.#length }, (_, index) => ({
      time: this.timeAt(index),
      order: this.orderAt(index),
      value: this.valueAt(index),
    }));
  }

  /** Capacities are powers of two. */
  #slot(index: number): number {
    return (this.#head + index) & (this.#values.length - 1);
  }

  #resize(capacity: number): void {
    const times = new Float64Array(capacity);
    const orders = new Float64Array(capacity);
    const values = new Array<unknown>(capacity).fill(undefined);
    for (let index = 0; index < this.#length; index += 1) {
      times[index] = this.timeAt(index);
      orders[index] = this.orderAt(index);
      values[index] = this.valueAt(index);
    }
    [this.#times, this.#orders, this.#values, this.#head] = [times, orders, values, 0];
  }
}
