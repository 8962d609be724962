import { setTimeout as delay } from 'node:timers/promises';
import type { Departure } from '../../container';
import { MigrationInDoubtError, NothingToResolveError } from './errors';
import type { Attempt, MigrationLedger, SourceStep } from './ledger';
import type { TargetLink } from './links';
import type { RunAnswer, SourceOutcome, Ticket } from './messages';

/** How long the target is asked for its verdict before a call gives up; it is asked again later. */
const PATIENCE_MS = 60_000;

export interface SourceOptions {
  ledger: MigrationLedger;
  /** Containers that were offered before a crash. */
  departures(): Promise<Departure[]>;
  link(peerId: string): TargetLink;
  /** How a host is called. */
  nameOf(peerId: string): string;
  /** For tests. */
  patienceMs?: number | undefined;
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
  /** What this process has offered, by attempt. */
  readonly #offered = new Map<string, Departure>();

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** Notes that a container is about to leave. */
  begin(ticket: Ticket): Attempt<SourceStep> {
    this.#active.add(ticket.id);
    return this.#options.ledger.beginSource(ticket);
  }

  /** Before it was offered: it stays here. */
  async giveUp(attempt: Attempt<SourceStep>, departure: Departure): Promise<void> {
    await departure.resume();
    this.#end(attempt, 'kept');
    // The target also notices that the transfer has ended.
    await this.#linkOf(attempt)
      .decide(attempt.ticket)
      .catch(() => {});
  }

  /**
   * Hands a container over that stands still, or of which one more may run: offers it, has the target run it, and
   * obeys the verdict. `whenThere` is called once it runs there, and before it is removed here.
   *
   * @throws what kept it from running there; then it goes on here
   * @throws {MigrationInDoubtError} when the target cannot be asked; the verdict is obeyed later
   */
  async handOver(
    attempt: Attempt<SourceStep>,
    departure: Departure,
    { state, whenThere }: { state?: string | undefined; whenThere(): Promise<void> },
  ): Promise<RunAnswer> {
    this.#options.ledger.advance(attempt, 'offered');
    departure.offer();
    this.#offered.set(attempt.ticket.id, departure);
    let answer: RunAnswer = { sinceRunningMs: 0 };
    try {
      answer = await this.#linkOf(attempt).run(attempt.ticket, state);
    } catch (error) {
      if ((await this.#verdict(attempt, error)) === 'aborted') {
        await departure.resume();
        this.#end(attempt, 'kept');
        throw error;
      }
    }
    await whenThere();
    await this.#release(attempt, departure);
    return answer;
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
    await departure?.resume();
    this.#end(attempt, 'kept');
  }

  async #recoverOne(attempt: Attempt<SourceStep>): Promise<void> {
    if (attempt.step === 'preparing') {
      // The engine has let it go on already; a target that does not hear of it gives up by itself.
      this.#end(attempt, 'kept');
      await this.#linkOf(attempt).decide(attempt.ticket);
      return;
    }
    const departure = await this.#departureOf(attempt);
    if (attempt.step === 'offered' && (await this.#linkOf(attempt).decide(attempt.ticket)) === 'aborted') {
      await departure?.resume();
      this.#end(attempt, 'kept');
      return;
    }
    await this.#release(attempt, departure);
  }

  async #release(attempt: Attempt<SourceStep>, departure: Departure | undefined): Promise<void> {
    this.#options.ledger.advance(attempt, 'released');
    await departure?.release();
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
    this.#active.delete(attempt.ticket.id);
    throw new MigrationInDoubtError(attempt.ticket.name, nameOf(attempt.ticket.to), { cause });
  }

  #end(attempt: Attempt<SourceStep>, outcome: 'kept' | 'released'): void {
    this.#options.ledger.end(attempt, outcome);
    this.#active.delete(attempt.ticket.id);
    this.#offered.delete(attempt.ticket.id);
  }

  #linkOf({ ticket }: Attempt<SourceStep>): TargetLink {
    return this.#options.link(ticket.to);
  }

  async #departureOf({ ticket }: Attempt<SourceStep>): Promise<Departure | undefined> {
    const offered = this.#offered.get(ticket.id);
    if (offered) return offered;
    const all = await this.#options.departures();
    return all.find(({ name, purpose }) => name === ticket.name && purpose === 'migration');
  }
}
