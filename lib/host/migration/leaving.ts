import { setTimeout as delay } from 'node:timers/promises';
import type { Departure } from '../../container';
import type { Ticket } from '../../migration/protocol';
import type { HostForwards } from '../forwards';
import type { HostServices } from '../services';

/** Between two looks at the connections of a container, in milliseconds. */
const LOOK_MS = 100;
/** Of a container whose ports are not known: how long what is under way may take, in milliseconds. */
const UNKNOWN_MS = 1_000;
const FORWARD_MS = 60 * 60_000;

export interface LeavingParts {
  forwards: HostForwards;
  services: HostServices;
}

/** What those who use a container notice of its leaving: nothing. */
export class Leaving {
  readonly #parts: LeavingParts;
  /** Of attempts that were asked for in this process: for how long their ports are passed on. */
  readonly #forwardMs = new Map<string, number>();
  /** Containers that get no more connections through their service; call to end that. */
  readonly #drained = new Map<string, () => void>();

  constructor(parts: LeavingParts) {
    this.#parts = parts;
  }

  /** `forwardMs`: what whoever asked for the move has said, if anything. */
  begin({ id }: Ticket, forwardMs: number | undefined): void {
    if (forwardMs !== undefined) this.#forwardMs.set(id, forwardMs);
  }

  end({ id, name }: Ticket): void {
    this.#forwardMs.delete(id);
    this.#drained.get(name)?.();
    this.#drained.delete(name);
  }

  /**
   * Has those who come from now on go to the new one, by its service and by its published ports, and waits for the
   * connections that are open here, for so long at most.
   */
  async drain(departure: Departure, ticket: Ticket, limitMs: number): Promise<void> {
    const { services } = this.#parts;
    const deadline = performance.now() + limitMs;
    await this.#passOn(departure, ticket);
    this.#drained.set(ticket.name, await services.drain(ticket.name, AbortSignal.timeout(limitMs)));
    await departure.hidePorts();
    while (performance.now() < deadline) {
      const open = await departure.connections();
      if (open === null) return void (await delay(Math.min(limitMs, UNKNOWN_MS)));
      if (open === 0) return;
      await delay(LOOK_MS);
    }
  }

  /** Takes the container away, which runs elsewhere; its published ports lead there from this moment on. */
  async release(departure: Departure, ticket: Ticket): Promise<void> {
    await this.#passOn(departure, ticket);
    await departure.release();
    this.#parts.forwards.left(ticket.name);
  }

  async #passOn({ record }: Departure, { id, to }: Ticket): Promise<void> {
    const limit = this.#forwardMs.get(id) ?? FORWARD_MS;
    // A container that cannot be passed on to runs there all the same.
    await this.#parts.forwards.begin(record.spec, to, limit).catch(() => {});
  }
}
