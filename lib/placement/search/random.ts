/**
 * A seeded source of random numbers: xoshiro128** (Blackman and Vigna, 2018), its state filled by
 * splitmix32. The same on every machine.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed a non-negative safe integer; `stream` gives independent sequences of one seed. */
  constructor(seed: number, stream = 0) {
    let state = mix(seed >>> 0, mix(Math.floor(seed / 2 ** 32), mix(stream, 0x9e3779b9)));
    const next = () => {
      state = (state + 0x9e3779b9) | 0;
      return mix(state, 0);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    // All zeros would stay zeros.
    this.#d = next() | 1;
  }

  /** 32 random bits. */
  bits(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** In [0, 1). */
  fraction(): number {
    return this.bits() / 2 ** 32;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.fraction();
  }

  pick<T>(items: ArrayLike<T>): T {
    return items[this.below(items.length)]!;
  }
}

function mix(value: number, salt: number): number {
  let hash = (value ^ salt) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return hash ^ (hash >>> 15);
}
