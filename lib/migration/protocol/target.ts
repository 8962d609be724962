import { GaruaError } from '../../base';
import type { Arrival } from '../../container';
import { NothingToResolveError, StaleMigrationError } from './errors';
import type { Attempt, MigrationLedger, TargetStep } from './ledger';
import type { SourceLink } from './links';
import type { PrepareRequest, RunAnswer, Ticket, Verdict } from './messages';

/** A source that prepares a container and then says nothing has gone, in milliseconds. */
const SILENCE_MS = 120_000;

export interface TargetOptions {
  ledger: MigrationLedger;
  /** Makes all ready for a container that comes. */
  arrive(request: PrepareRequest): Promise<Arrival>;
  /** Containers that were accepted before a crash. */
  arrivals(): Promise<Arrival[]>;
  /** Ends and removes a container that came, and that its source has taken back. */
  discard(name: string): Promise<void>;
  restore(arrival: Arrival): Promise<void>;
  /** Gives a container that was started anew what its application has exported. */
  importState(request: PrepareRequest, state: string): Promise<void>;
  link(peerId: string): SourceLink;
}

/** A container that is on its way here. */
export interface Expected {
  readonly attempt: Attempt<TargetStep>;
  readonly arrival: Arrival;
  readonly request: PrepareRequest;
  /** Ends the transfer of a container that does not come. */
  readonly ended: AbortController;
  /** Set once the target decides. */
  deciding: Promise<RunAnswer> | undefined;
  silence: NodeJS.Timeout | undefined;
}

/**
 * The target's side of the agreement on who runs a container. Until it is told to run it (`accepted`) it may give up
 * at any time, and does when the source goes away. From then on it decides alone: either the container runs and is
 * well (`running`), or all of it is removed (`aborted`). A verdict is noted before it is told, and never changes.
 */
export class MigrationTarget {
  readonly #options: TargetOptions;
  readonly #expected = new Map<string, Expected>();
  /** Attempts whose image and folders are still being made ready: nobody has given them up. */
  readonly #preparing = new Set<string>();
  /** What runs here for good, but could not be put on record yet. */
  readonly #uncommitted = new Map<string, Arrival>();
  #recovering: Promise<void> | undefined;

  constructor(options: TargetOptions) {
    this.#options = options;
  }

  /** How many are on their way here. */
  get expected(): number {
    return this.#expected.size;
  }

  /** @throws {StaleMigrationError} and what stands in the way of the container */
  async prepare(request: PrepareRequest): Promise<Arrival> {
    const { ticket } = request;
    this.#checkFence(ticket);
    this.#preparing.add(ticket.id);
    try {
      return await this.#prepare(request);
    } finally {
      this.#preparing.delete(ticket.id);
    }
  }

  async #prepare(request: PrepareRequest): Promise<Arrival> {
    const { ledger } = this.#options;
    const { ticket } = request;
    const attempt = ledger.beginTarget(ticket);
    let arrival: Arrival;
    try {
      arrival = await this.#options.arrive(request);
    } catch (error) {
      ledger.end(attempt, 'aborted');
      throw error;
    }
    // It may have been given up meanwhile.
    if (ledger.outcome(ticket.id)) {
      await arrival.abort();
      ledger.end(attempt, 'aborted');
      throw new StaleMigrationError(ticket.name, 'it was given up');
    }
    const ended = new AbortController();
    const expected = { attempt, arrival, request, ended, deciding: undefined, silence: undefined };
    this.#expected.set(ticket.id, expected);
    this.awaitSource(ticket);
    return arrival;
  }

  /** Gives the container up when the source says nothing for long. */
  awaitSource({ id }: Ticket): void {
    const expected = this.#expected.get(id);
    if (!expected || expected.deciding) return;
    clearTimeout(expected.silence);
    expected.silence = setTimeout(() => void this.abandon(id).catch(() => {}), SILENCE_MS).unref();
  }

  /** For the transfer of what comes. @throws {StaleMigrationError} */
  expect({ id, name }: Ticket): Expected {
    const expected = this.#expected.get(id);
    if (!expected) throw new StaleMigrationError(name, 'it is not expected here');
    clearTimeout(expected.silence);
    return expected;
  }

  /** The source has gone before it told this host to run the container. */
  async abandon(id: string): Promise<void> {
    const expected = this.#expected.get(id);
    if (expected && !expected.deciding) await this.#abort(expected);
  }

  /** Runs the container, and decides. @throws what went wrong; then nothing of it is here any more */
  run(ticket: Ticket, state?: string): Promise<RunAnswer> {
    const expected = this.expect(ticket);
    expected.deciding ??= this.#decide(expected, state);
    return expected.deciding;
  }

  /** The verdict. What was not told to run by now is given up. */
  async decide(ticket: Ticket): Promise<Verdict> {
    const { ledger } = this.#options;
    const expected = this.#expected.get(ticket.id);
    if (expected?.deciding) await expected.deciding.catch(() => {});
    else if (expected) await this.#abort(expected);
    await this.#recovering;
    if (ledger.outcome(ticket.id)) return ledger.outcome(ticket.id) === 'running' ? 'running' : 'aborted';
    const noted = ledger.arriving().find((attempt) => attempt.ticket.id === ticket.id);
    if (noted?.step === 'running') return 'running';
    if (noted && noted.step !== 'preparing')
      throw new StaleMigrationError(ticket.name, 'it is not decided yet');
    // A call that was late on its way must find it over.
    ledger.record(ticket.id, 'aborted');
    ledger.raiseFence(ticket.name, ticket.fence);
    return 'aborted';
  }

  /** The source has let go of its copy. */
  settled({ id }: Ticket): void {
    const attempt = this.#options.ledger.arriving().find(({ ticket }) => ticket.id === id);
    if (attempt?.step === 'running') this.#options.ledger.end(attempt, 'running');
  }

  /** Decides what a crash has left undecided, and asks the sources what is not settled; safe to be called again. */
  recover(): Promise<void> {
    this.#recovering ??= this.#recover().finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  /** Asks the sources of containers that run here whether they have let go; of those that took theirs back, this
   * host's copy is out of date. */
  async settle(): Promise<void> {
    for (const attempt of this.#options.ledger.arriving()) {
      const { ticket, step } = attempt;
      if (step !== 'running' || this.#expected.has(ticket.id)) continue;
      const outcome = await this.#options
        .link(ticket.from)
        .outcome(ticket)
        .catch(() => 'pending');
      if (outcome === 'released') this.#options.ledger.end(attempt, 'running');
      if (outcome === 'kept') await this.#discard(attempt);
    }
  }

  /** Sources that have not said yet that they let go. */
  unsettled(): Ticket[] {
    const waiting = this.#options.ledger.arriving().filter(({ step }) => step === 'running');
    return waiting.map(({ ticket }) => ticket);
  }

  /** A person says where the container runs, since the source cannot be asked. @throws {NothingToResolveError} */
  async resolve(name: string, where: 'here' | 'there'): Promise<void> {
    const attempt = this.#options.ledger
      .arriving()
      .find(({ ticket, step }) => ticket.name === name && step === 'running');
    if (!attempt) throw new NothingToResolveError(name);
    if (where === 'here') this.#options.ledger.end(attempt, 'running');
    else await this.#discard(attempt);
  }

  async #decide(expected: Expected, state: string | undefined): Promise<RunAnswer> {
    const { ledger, restore, importState } = this.#options;
    const { attempt, arrival, request } = expected;
    try {
      ledger.advance(attempt, 'accepted');
      arrival.accept();
      if (request.start === 'restore') await restore(arrival);
      else await arrival.startFresh();
      const running = performance.now();
      await arrival.probe();
      if (state !== undefined) await importState(request, state);
      ledger.advance(attempt, 'running');
      this.#uncommitted.set(attempt.ticket.id, arrival);
      await this.#commit(attempt, arrival);
      return { sinceRunningMs: performance.now() - running };
    } catch (error) {
      if (attempt.step !== 'running') await this.#abort(expected);
      throw error;
    } finally {
      this.#expected.delete(attempt.ticket.id);
    }
  }

  async #abort({ attempt, arrival, ended, silence }: Expected): Promise<void> {
    this.#expected.delete(attempt.ticket.id);
    clearTimeout(silence);
    ended.abort();
    await arrival.abort();
    this.#options.ledger.end(attempt, 'aborted');
  }

  async #recover(): Promise<void> {
    const { ledger, arrivals } = this.#options;
    const undecided = ledger
      .arriving()
      .filter(({ ticket }) => !this.#expected.has(ticket.id) && !this.#preparing.has(ticket.id));
    if (undecided.length === 0) return;
    const accepted = new Map((await arrivals()).map((arrival) => [arrival.name, arrival]));
    for (const attempt of undecided) {
      const arrival = this.#uncommitted.get(attempt.ticket.id) ?? accepted.get(attempt.ticket.name);
      if (attempt.step === 'running') {
        if (arrival) await this.#commit(attempt, arrival);
        continue;
      }
      try {
        if (attempt.step === 'preparing' || !arrival) throw new GaruaError('ERR_MIGRATION_LOST', 'lost', '');
        await arrival.probe();
        ledger.advance(attempt, 'running');
        await this.#commit(attempt, arrival);
      } catch {
        if ((attempt.step as TargetStep) === 'running') continue;
        await arrival?.abort();
        ledger.end(attempt, 'aborted');
      }
    }
  }

  async #commit({ ticket }: Attempt<TargetStep>, arrival: Arrival): Promise<void> {
    await arrival.commit();
    this.#uncommitted.delete(ticket.id);
  }

  async #discard(attempt: Attempt<TargetStep>): Promise<void> {
    await this.#options.discard(attempt.ticket.name);
    this.#options.ledger.end(attempt, 'aborted');
  }

  #checkFence({ name, fence }: Ticket): void {
    const known = this.#options.ledger.fence(name);
    if (fence <= known) throw new StaleMigrationError(name, `fence ${fence} is not above ${known}`);
  }
}
