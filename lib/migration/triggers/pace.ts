export interface PaceOptions {
  /** Containers that move at a time. */
  most: number;
  /** How long a container stays where it has come to, in milliseconds. */
  restMs: number;
}

/** After the first failed move; each further one doubles it, in milliseconds. */
const BACK_OFF = 30_000;
const LONGEST_BACK_OFF = 30 * 60_000;
/** A host that a container could not move to is not tried again before, in milliseconds. */
const AVOIDED = 10 * 60_000;

/** Keeps moves apart: few at a time, none of a container that has just moved, or failed to. */
export class Pace {
  readonly #options: PaceOptions;
  readonly #moving = new Set<string>();
  readonly #restsUntil = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  /** By container and host: until when it is not tried again. */
  readonly #avoided = new Map<string, Map<string, number>>();

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#moving.size >= this.#options.most;
  }

  mayMove(container: string, now: number): boolean {
    return !this.#moving.has(container) && now >= (this.#restsUntil.get(container) ?? 0);
  }

  /** Hosts that the container could not move to lately. */
  avoids(container: string, now: number): string[] {
    const hosts = [...(this.#avoided.get(container) ?? [])];
    return hosts.filter(([, until]) => now < until).map(([host]) => host);
  }

  began(container: string): void {
    this.#moving.add(container);
  }

  /** `host`: where it was to go. */
  ended(container: string, host: string, hasMoved: boolean, now: number): void {
    this.#moving.delete(container);
    const avoided = this.#avoided.get(container) ?? new Map<string, number>();
    if (hasMoved) avoided.clear();
    else avoided.set(host, now + AVOIDED);
    this.#avoided.set(container, avoided);
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
      this.#avoided.delete(container);
    }
  }
}
