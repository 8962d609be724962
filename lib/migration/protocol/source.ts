import { setTimeout as delay } from 'node:timers/promises';
import type { Departure } from '../../container';
import { UnreachableError } from '../../mesh';
import { checkTicket } from './check-ticket';
import { MigrationInDoubtError, NothingToResolveError } from './errors';
import type { Attempt, MigrationLedger, SourceStep } from './ledger';
import type { TargetLink } from './links';
import type { RunAnswer, SourceOutcome, Ticket } from './messages';

/** How long the target is asked for its verdict before a call gives up; it is asked again later. */
const PATIENCE_MS = 60_000;

export interface SourceOptions {
  ledger: MigrationLedger;
  /** A container of this id that was offered before a crash, and is still here. */
  departure(container: string): Promise<Departure | undefined>;
  /** Lets go of a container that runs at the target; also after a crash, and again when it has failed. */
  release(departure: Departure, ticket: Ticket): Promise<void>;
  /** Ends and removes a container of this host, if it is still there. */
  discard(container: string): Promise<void>;
  link(peerId: string): TargetLink;
  /** How a host is called. */
  nameOf(peerId: string): string;
  /** For tests. */
  patienceMs?: number | undefined;
}

/** The target's answer. `warning`: what failed here once it ran there, which changes nothing about that. */
export interface HandedOver extends RunAnswer {
  warning?: unknown;
}

/**
 * The source's side of the agreement on who runs a container:
 *
 * 1. `preparing`: it is the source's. A crash, or a failure, leaves it here.
 * 2. `offered`: noted before the target is told to run it. From here on the target alone decides, so the source's
 *    copy stands still until the verdict is known, however long that takes.
 * 3. The verdict is `running`: `released`, and the copy here is removed. It is `aborted`: the copy here goes on.
 */
export class MigrationSource {
  readonly #options: SourceOptions;
  /** Attempts of this process, which are not to be recovered. */
  readonly #active = new Set<string>();
  readonly #recovering = new Set<string>();
  /** What leaves on behalf of this process, by attempt. */
  readonly #departures = new Map<string, Departure>();

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** Notes that a container is about to leave. Call `rest` when nothing more is done about it. */
  begin(ticket: Ticket, departure: Departure): Attempt<SourceStep> {
    const attempt = this.#options.ledger.beginSource(ticket, departure.id);
    this.#active.add(ticket.id);
    this.#departures.set(ticket.id, departure);
    return attempt;
  }

  /**
   * Takes up an attempt that a lost index has forgotten: it may have been offered, so the target is asked.
   *
   * @param value the ticket, as it was kept elsewhere
   * @throws {TicketInvalidError}
   */
  adopt(value: unknown, container: string): void {
    const { ledger } = this.#options;
    const { from = '', to = '' } = (value ?? {}) as Partial<Ticket>;
    const ticket = checkTicket(value, from, to);
    if (ledger.outcome(ticket.id) || ledger.leaving().some(({ ticket: { id } }) => id === ticket.id)) return;
    ledger.advance(ledger.beginSource(ticket, container), 'offered');
  }

  /** Whatever is left of the attempt is for `recover` now. */
  rest({ ticket }: Attempt<SourceStep>): void {
    this.#active.delete(ticket.id);
  }

  /** Before the target was told to run it: it stays here. */
  async giveUp(attempt: Attempt<SourceStep>): Promise<void> {
    await this.#keep(attempt);
    // The target also notices that the transfer has ended.
    await this.#linkOf(attempt)
      .decide(attempt.ticket)
      .catch(() => {});
  }

  /**
   * Says that the target decides from now on, so that not even a power cut here forgets it. When this fails the target
   * was not told yet: give it up.
   */
  async offer(attempt: Attempt<SourceStep>): Promise<void> {
    this.#options.ledger.advance(attempt, 'offered');
    this.#departures.get(attempt.ticket.id)!.offer();
    await this.#options.ledger.sync();
  }

  /**
   * Hands over a container that was offered: has the target run it, and obeys the verdict. `whenThere` is called once
   * it runs there, and before it is removed here.
   *
   * @throws what kept it from running there; then it goes on here
   * @throws {MigrationInDoubtError} when the target cannot be asked; the verdict is obeyed later
   */
  async handOver(
    attempt: Attempt<SourceStep>,
    { state, whenThere }: { state?: string | undefined; whenThere(): Promise<void> },
  ): Promise<HandedOver> {
    let answer: RunAnswer = { sinceRunningMs: 0 };
    try {
      answer = await this.#linkOf(attempt).run(attempt.ticket, state);
    } catch (error) {
      // A target that was never told to run it, and will not be told any more, has not started it.
      const isUntold = error instanceof UnreachableError && !error.mayHaveHeard;
      if (isUntold || (await this.#verdict(attempt, error)) === 'aborted') {
        await this.#keep(attempt);
        throw error;
      }
    }
    // It runs there, whatever fails here from now on; `recover` tries again to remove what is left.
    const failures: unknown[] = [];
    const departure = this.#departures.get(attempt.ticket.id);
    for (const step of [whenThere, () => this.#release(attempt, departure)]) {
      await step().catch((error) => failures.push(error));
    }
    return { ...answer, warning: failures[0] };
  }

  /** What became of the copy here, for a target that asks. */
  outcome({ id }: Ticket): SourceOutcome {
    const outcome = this.#options.ledger.outcome(id);
    if (outcome) return outcome === 'kept' ? 'kept' : 'released';
    // What this host knows nothing of it cannot have.
    return this.#options.ledger.leaving().some(({ ticket }) => ticket.id === id) ? 'pending' : 'released';
  }

  /** Brings to an end what a crash has left, as far as the targets can be asked; safe to be called again. */
  async recover(): Promise<void> {
    for (const attempt of this.#options.ledger.leaving()) {
      const { id } = attempt.ticket;
      if (this.#active.has(id) || this.#recovering.has(id)) continue;
      this.#recovering.add(id);
      await this.#recoverOne(attempt)
        .catch(() => {})
        .finally(() => this.#recovering.delete(id));
    }
  }

  /** Attempts whose target has to be asked. */
  inDoubt(): Ticket[] {
    const waiting = this.#options.ledger.leaving().filter(({ step }) => step === 'offered');
    return waiting.map(({ ticket }) => ticket).filter(({ id }) => !this.#active.has(id));
  }

  /**
   * A person says where the container runs, since the target cannot be asked. Should the target come back with it, it
   * finds its copy out of date and removes it.
   *
   * @throws {NothingToResolveError}
   */
  async resolve(name: string, where: 'here' | 'there'): Promise<void> {
    const { ledger } = this.#options;
    const doubts = ledger.leaving().filter(({ ticket, step }) => ticket.name === name && step === 'offered');
    const attempt = doubts.find(({ ticket }) => !this.#active.has(ticket.id));
    if (!attempt) throw new NothingToResolveError(name);
    const departure = await this.#departureOf(attempt);
    if (where === 'there') return this.#release(attempt, departure);
    ledger.raiseFence(name, attempt.ticket.fence + 1);
    await this.#keep(attempt, departure);
  }

  async #recoverOne(attempt: Attempt<SourceStep>): Promise<void> {
    if (attempt.step === 'preparing') return this.#recoverUnoffered(attempt);
    const verdict =
      attempt.step === 'offered' ? await this.#linkOf(attempt).decide(attempt.ticket) : 'running';
    // Meanwhile a person may have said where it runs.
    if (!this.#options.ledger.leaving().some(({ entry }) => entry === attempt.entry)) return;
    const departure = await this.#departureOf(attempt);
    if (verdict === 'aborted') await this.#keep(attempt, departure);
    else await this.#release(attempt, departure);
  }

  /**
   * `offered` is on the disk before a target is told to run anything, so this container is the source's, and it goes
   * on here already, whether the target can be asked or not. Should a disk have lost what it was said to hold, the
   * target knows better, and is obeyed.
   */
  async #recoverUnoffered(attempt: Attempt<SourceStep>): Promise<void> {
    const { id } = attempt.ticket;
    const departure = this.#departures.get(id);
    // Of this process, which could not let it go on before.
    await departure?.resume();
    this.#departures.delete(id);
    const verdict = await this.#linkOf(attempt)
      .decide(attempt.ticket)
      .catch(() => 'aborted');
    if (departure || verdict === 'aborted') this.#end(attempt, 'kept');
    else await this.#release(attempt, undefined);
  }

  async #release(attempt: Attempt<SourceStep>, departure: Departure | undefined): Promise<void> {
    this.#options.ledger.advance(attempt, 'released');
    if (departure) await this.#options.release(departure, attempt.ticket);
    else if (attempt.container !== undefined) await this.#options.discard(attempt.container);
    this.#end(attempt, 'released');
    await this.#linkOf(attempt)
      .settled(attempt.ticket)
      .catch(() => {});
  }

  async #verdict(attempt: Attempt<SourceStep>, cause: unknown) {
    const { patienceMs = PATIENCE_MS, nameOf } = this.#options;
    const end = performance.now() + patienceMs;
    for (;;) {
      try {
        return await this.#linkOf(attempt).decide(attempt.ticket);
      } catch {
        if (performance.now() >= end) break;
        await delay(Math.min(1_000, patienceMs));
      }
    }
    throw new MigrationInDoubtError(attempt.ticket.name, nameOf(attempt.ticket.to), { cause });
  }

  async #keep(
    attempt: Attempt<SourceStep>,
    departure = this.#departures.get(attempt.ticket.id),
  ): Promise<void> {
    await departure?.resume();
    this.#departures.delete(attempt.ticket.id);
    this.#end(attempt, 'kept');
  }

  #end(attempt: Attempt<SourceStep>, outcome: 'kept' | 'released'): void {
    this.#options.ledger.end(attempt, outcome);
    this.#departures.delete(attempt.ticket.id);
  }

  #linkOf({ ticket }: Attempt<SourceStep>): TargetLink {
    return this.#options.link(ticket.to);
  }

  async #departureOf({ ticket, container }: Attempt<SourceStep>): Promise<Departure | undefined> {
    const own = this.#departures.get(ticket.id);
    return own ?? (container === undefined ? undefined : this.#options.departure(container));
  }
}
