import { TimeShare } from '../../lib/placement';
import type { Taken } from '../fog-port';

/** A message that was read, and waits for its turn. */
export interface Ready extends Taken {
  /** Undefined where it has none, or cannot be read. */
  content: Record<string, unknown> | undefined;
}

export interface TurnsParts {
  /** The part of a core that the instance may use. */
  cpu: number;
  deliver(ready: Ready): void;
  /** There may be room now where there was none. */
  onRoom(): void;
}

/** Messages that may wait for the instance's share of the core; more wait where they come from. */
export const ROOM = 64;

/** Lets messages go on as the instance's share of the core allows, and none while somebody wants the flow to rest. */
export class Turns {
  readonly #parts: TurnsParts;
  #share: TimeShare<Ready>;
  /** What waits on without getting its turn. */
  #aside: Ready[] = [];
  #holding = 0;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
    this.#share = this.#newShare();
  }

  get waiting(): number {
    return this.#share.waiting + this.#aside.length;
  }

  /** @returns false when there is no room, or nothing goes on */
  offer(ready: Ready): boolean {
    return this.#holding === 0 && this.#share.offer(ready);
  }

  /** Tells what messages that were delivered have cost, in ms. */
  charge(milliseconds: number, messages: number): void {
    this.#share.charge(milliseconds, messages);
  }

  /** From now on nothing goes on, until as many have called `release`. */
  hold(): void {
    this.#holding += 1;
    this.#setAside();
  }

  release(): void {
    this.#holding -= 1;
    if (this.#holding > 0) return;
    for (const ready of this.#aside.splice(0)) this.#share.offer(ready);
  }

  /** Takes out what waits and fits, in its order. To be called while nothing goes on. */
  takeOut(fits: (ready: Ready) => boolean): Ready[] {
    const { out = [], rest = [] } = Object.groupBy(this.#aside, (ready) => (fits(ready) ? 'out' : 'rest'));
    this.#aside = rest;
    return out;
  }

  #setAside(): void {
    this.#aside.push(...this.#share.close());
    this.#share = this.#newShare();
  }

  #newShare(): TimeShare<Ready> {
    const { cpu: share, deliver, onRoom } = this.#parts;
    return new TimeShare<Ready>({ share, limit: ROOM, deliver, onPressure: onRoom });
  }
}
