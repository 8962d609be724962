import type { Arrival } from '../../container';
import { NothingToResolveError } from './errors';
import type { Attempt, MigrationLedger, TargetStep } from './ledger';
import type { SourceLink } from './links';
import type { Ticket } from './messages';

export interface TargetRecoveryOptions {
  ledger: MigrationLedger;
  /** A container of this id that was accepted before a crash. */
  arrival(container: string): Promise<Arrival | undefined>;
  /** Ends and removes a container of this host, if it is still there. */
  discard(container: string): Promise<void>;
  link(peerId: string): SourceLink;
}

/** Brings to their end the arrivals that a crash, or a failure, has left on the way; each on its own. */
export class TargetRecovery {
  readonly #options: TargetRecoveryOptions;
  /** Attempts that are being worked on. */
  readonly #isBusy: (id: string) => boolean;
  /** Arrivals of this process that are decided, and could not be brought to their end yet. */
  readonly #left = new Map<string, { arrival: Arrival | undefined; verdict: 'running' | 'aborted' }>();
  #running: Promise<void> | undefined;

  constructor(options: TargetRecoveryOptions, isBusy: (id: string) => boolean) {
    this.#options = options;
    this.#isBusy = isBusy;
  }

  /** Makes it a container of this host; the attempt stays on record until the source has let go of its own. */
  async commit({ ticket }: Attempt<TargetStep>, arrival: Arrival): Promise<void> {
    this.#left.set(ticket.id, { arrival, verdict: 'running' });
    await arrival.commit();
    this.#left.delete(ticket.id);
  }

  /** Removes what has arrived, and notes that. */
  async abort(attempt: Attempt<TargetStep>, arrival: Arrival | undefined): Promise<void> {
    this.#left.set(attempt.ticket.id, { arrival, verdict: 'aborted' });
    await arrival?.abort();
    this.#options.ledger.end(attempt, 'aborted');
    this.#left.delete(attempt.ticket.id);
  }

  /** Decides what is undecided, and finishes what could not be finished; safe to be called again. */
  recover(): Promise<void> {
    this.#running ??= this.#recover().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Resolves once no recovery is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** The source has let go of its copy. */
  async settled({ id }: Ticket): Promise<void> {
    await this.recover();
    const attempt = this.#waiting().find(({ ticket }) => ticket.id === id);
    if (attempt) this.#options.ledger.end(attempt, 'running');
  }

  /** Asks the sources of containers that run here whether they have let go; of those that took theirs back, this
   * host's copy is out of date. */
  async settle(): Promise<void> {
    for (const attempt of this.#waiting()) await this.#settleOne(attempt).catch(() => {});
  }

  /** A person says where the container runs, since the source cannot be asked. @throws {NothingToResolveError} */
  async resolve(name: string, where: 'here' | 'there'): Promise<void> {
    await this.recover();
    const attempt = this.#waiting().find(({ ticket }) => ticket.name === name);
    if (!attempt) throw new NothingToResolveError(name);
    if (where === 'here') this.#options.ledger.end(attempt, 'running');
    else await this.#discard(attempt);
  }

  /** Attempts whose container runs here for good, and whose sources have not said that they let go. */
  #waiting(): Attempt<TargetStep>[] {
    return this.#options.ledger
      .arriving()
      .filter(({ step, ticket: { id } }) => step === 'running' && !this.#isBusy(id) && !this.#left.has(id));
  }

  async #recover(): Promise<void> {
    for (const attempt of this.#options.ledger.arriving()) {
      // What fails is tried again later, and stands in nobody else's way.
      if (!this.#isBusy(attempt.ticket.id)) await this.#recoverOne(attempt).catch(() => {});
    }
  }

  async #recoverOne(attempt: Attempt<TargetStep>): Promise<void> {
    const { ledger } = this.#options;
    const { container, ticket } = attempt;
    const left = this.#left.get(ticket.id);
    const arrival = left?.arrival ?? ((container && (await this.#options.arrival(container))) || undefined);
    if (attempt.step === 'running') {
      if (arrival) await this.commit(attempt, arrival);
    } else if (left || !arrival || !(await this.#isWell(attempt, arrival))) {
      await this.abort(attempt, arrival);
    } else {
      ledger.advance(attempt, 'running');
      await ledger.sync();
      await this.commit(attempt, arrival);
    }
  }

  /** Of a container that was accepted before a crash: whether it came up. */
  async #isWell({ step, ticket }: Attempt<TargetStep>, arrival: Arrival): Promise<boolean> {
    // In elastic mode its application may lack the state that it was to import; the source's has it, and runs.
    if (step !== 'accepted' || ticket.mode === 'elastic') return false;
    try {
      await arrival.probe();
      await arrival.sync();
      return true;
    } catch {
      return false;
    }
  }

  async #settleOne(attempt: Attempt<TargetStep>): Promise<void> {
    const { ledger, link } = this.#options;
    const outcome = await link(attempt.ticket.from).outcome(attempt.ticket);
    if (outcome === 'released') ledger.end(attempt, 'running');
    if (outcome === 'kept') await this.#discard(attempt);
  }

  async #discard(attempt: Attempt<TargetStep>): Promise<void> {
    if (attempt.container !== undefined) await this.#options.discard(attempt.container);
    this.#options.ledger.end(attempt, 'aborted');
  }
}
