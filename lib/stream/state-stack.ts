import type { Aggregate, Packing } from './aggregates';

/** A stack of one aggregate's states: side by side in an array of doubles, where they are numbers. */
export interface StateStack {
  push(state: unknown): void;
  pop(): void;
  /** The topmost state; only when there is one. */
  top(): unknown;
  /** Empties it and makes room. */
  reset(capacity: number): void;
}

export function stateStack({ packed }: Aggregate): StateStack {
  return packed ? new PackedStack(packed) : new ObjectStack();
}

class ObjectStack implements StateStack {
  #states: unknown[] = [];

  push(state: unknown): void {
    this.#states.push(state);
  }

  pop(): void {
    this.#states.pop();
  }

  top(): unknown {
    return this.#states[this.#states.length - 1];
  }

  reset(): void {
    this.#states = [];
  }
}

class PackedStack implements StateStack {
  readonly #packing: Packing<unknown>;
  #numbers = new Float64Array(0);
  #length = 0;

  constructor(packing: Packing<unknown>) {
    this.#packing = packing;
  }

  push(state: unknown): void {
    this.#packing.write(state, this.#numbers, this.#length);
    this.#length += this.#packing.width;
  }

  pop(): void {
    this.#length -= this.#packing.width;
  }

  top(): unknown {
    return this.#packing.read(this.#numbers, this.#length - this.#packing.width);
  }

  reset(capacity: number): void {
    this.#length = 0;
    const size = capacity * this.#packing.width;
    // Kept when it fits about, so that a steady window allocates nothing.
    if (size > this.#numbers.length || size * 4 < this.#numbers.length) {
      this.#numbers = new Float64Array(size);
    }
  }
}
