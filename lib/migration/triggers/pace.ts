export interface PaceOptions {
  /** Containers that move at a time. */
  most: number;
  /** How long a container stays where it has come to, in milliseconds. */
  restMs: number;
}

/** After the first failed move; each further one doubles it, in milliseconds. */
const BACK_OFF = 30_000;
const LONGEST_BACK_OFF = 30 * 60_000;

/** Keeps moves apart: few at a time, none of a container that has just moved, or failed to. */
export class Pace {
  readonly #options: PaceOptions;
  readonly #moving = new Set<string>();
  readonly #restsUntil = new Map<string, number>();
  readonly #failures = new Map<string, number>();

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#moving.size >= this.#options.most;
  }

  mayMove(container: string, now: number): boolean {
    return !this.#moving.has(container) && now >= (this.#restsUntil.get(container) ?? 0);
  }

  began(container: string): void {
    this.#moving.add(container);
  }

  ended(container: string, hasMoved: boolean, now: number): void {
    this.#moving.delete(container);
    const failures = hasMoved ? 0 : (this.#failures.get(container) ?? 0) + 1;
    this.#failures.set(container, failures);
    const backOff = Math.min(BACK_OFF * 2 ** (failures - 1), LONGEST_BACK_OFF);
    this.#restsUntil.set(container, now + (hasMoved ? this.#options.restMs : backOff));
  }

  /** Forgets containers that are not here any more and rest no longer. */
  keep(containers: ReadonlySet<string>, now: number): void {
    for (const [container, until] of this.#restsUntil) {
      if (containers.has(container) || now < until) continue;
      this.#restsUntil.delete(container);
      this.#failures.delete(container);
    }
  }
}
