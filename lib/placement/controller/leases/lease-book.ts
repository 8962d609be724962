import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from '../../../base';
import { LeaseExpiredError, LeaseRefusedError } from './errors';

/** Cores and memory, the latter in the unit of the model. */
export interface Resources {
  cpu: number;
  memory: number;
}

export interface LeaseRequest extends Resources {
  /** The host whose flow needs it. */
  owner: string;
  /** What for; a second lease for the same takes the place of the first. */
  purpose: string;
  /** How long without a renewal. */
  seconds: number;
}

export interface Lease extends LeaseRequest {
  id: string;
  /** By the clock of the host that grants. */
  expiresAt: number;
}

export interface LeaseBookOptions extends Resources {
  /** Milliseconds of a clock that never goes back. */
  now: () => number;
  /** The longest that a lease may last without a renewal. Default 300. */
  longestSeconds?: number | undefined;
}

/** Sums of the same numbers in another order differ in the last digits. */
const ROUNDING = 1e-9;

/**
 * What a host has lent of itself. It grants only what is free at that moment, and what it grants is taken
 * until it expires or is given back: whoever asks, and however many, the host is never lent twice.
 */
export class LeaseBook {
  readonly #leases = new Map<string, Lease>();
  readonly #now: () => number;
  readonly #longestSeconds: number;
  #capacity: Resources;

  constructor({ cpu, memory, now, longestSeconds = 300 }: LeaseBookOptions) {
    this.#capacity = { cpu, memory };
    this.#now = now;
    this.#longestSeconds = longestSeconds;
  }

  get capacity(): Resources {
    return { ...this.#capacity };
  }

  /** Another capacity holds for new leases; what is granted stays granted until it expires. */
  set capacity({ cpu, memory }: Resources) {
    this.#capacity = { cpu, memory };
  }

  /** What could be granted now; negative after the capacity was lowered under what is granted. */
  get free(): Resources {
    const taken = this.#taken();
    return { cpu: this.#capacity.cpu - taken.cpu, memory: this.#capacity.memory - taken.memory };
  }

  /** The leases that hold now. */
  get leases(): Lease[] {
    this.#expire();
    return [...this.#leases.values()];
  }

  /**
   * Grants a lease, in place of the one for the same purpose of the same owner, which stays if this is refused.
   * Whoever asks for less than it has must use no more than that from the moment it asks.
   * @throws {LeaseRefusedError} {InvalidArgumentError}
   */
  request(request: LeaseRequest): Lease {
    const { owner, purpose, cpu, memory } = request;
    const seconds = this.#checkedSeconds(request.seconds);
    if (!(cpu >= 0 && memory >= 0 && Number.isFinite(cpu + memory))) {
      throw new InvalidArgumentError(`cpu ${cpu} and memory ${memory} of a lease are not at least 0`);
    }
    const former = this.leases.find((lease) => lease.owner === owner && lease.purpose === purpose);
    const taken = this.#taken(former);
    const { cpu: cores, memory: whole } = this.#capacity;
    // A smaller lease than before is granted even where the capacity was lowered.
    const fits = (asked: number, has: number | undefined, used: number, all: number) =>
      used + asked <= all + ROUNDING * Math.max(1, all) || (has !== undefined && asked <= has);
    if (!fits(cpu, former?.cpu, taken.cpu, cores)) {
      throw new LeaseRefusedError(`${cpu} cores are asked for, ${shown(cores - taken.cpu)} are free`);
    }
    if (!fits(memory, former?.memory, taken.memory, whole)) {
      throw new LeaseRefusedError(`memory ${memory} is asked for, ${shown(whole - taken.memory)} is free`);
    }
    if (former) this.#leases.delete(former.id);
    const expiresAt = this.#now() + seconds * 1000;
    const lease = { owner, purpose, cpu, memory, seconds, id: randomUUID(), expiresAt };
    this.#leases.set(lease.id, lease);
    return { ...lease };
  }

  /**
   * Prolongs a lease; never shortens one, since its owner may count on what it was told.
   * @throws {LeaseExpiredError} {InvalidArgumentError}
   */
  renew(id: string, seconds: number): Lease {
    const length = this.#checkedSeconds(seconds);
    this.#expire();
    const lease = this.#leases.get(id);
    if (!lease) throw new LeaseExpiredError(id);
    lease.seconds = length;
    lease.expiresAt = Math.max(lease.expiresAt, this.#now() + length * 1000);
    return { ...lease };
  }

  /** Gives a lease back. One that has ended is no error. */
  release(id: string): void {
    this.#leases.delete(id);
  }

  #checkedSeconds(seconds: number): number {
    if (seconds > 0 && seconds <= this.#longestSeconds) return seconds;
    throw new InvalidArgumentError(`a lease of ${seconds} s is not within 0 and ${this.#longestSeconds} s`);
  }

  #taken(except?: Lease): Resources {
    const taken = { cpu: 0, memory: 0 };
    for (const lease of this.leases) {
      if (lease.id === except?.id) continue;
      taken.cpu += lease.cpu;
      taken.memory += lease.memory;
    }
    return taken;
  }

  #expire(): void {
    const now = this.#now();
    for (const { id, expiresAt } of this.#leases.values()) if (expiresAt <= now) this.#leases.delete(id);
  }
}

function shown(value: number): string {
  return `${Number(Math.max(0, value).toPrecision(6))}`;
}
