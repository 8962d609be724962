import type { Arrival } from '../../container';
import { StaleMigrationError } from './errors';
import type { Attempt, TargetStep } from './ledger';
import type { PrepareRequest, RunAnswer, Ticket, Verdict } from './messages';
import { TargetRecovery, type TargetRecoveryOptions } from './target-recovery';

/** A source that prepares a container and then says nothing has gone, in milliseconds. */
const SILENCE_MS = 120_000;
/**
 * A fence may be so far above the one that this host knows. Each attempt raises it by one, but a container that comes
 * here for the first time may have come around; what a host makes up must not use up the numbers of a name.
 */
const LARGEST_RISE = 1_000_000;

export interface TargetOptions extends TargetRecoveryOptions {
  /** Makes all ready for a container that comes. */
  arrive(request: PrepareRequest): Promise<Arrival>;
  restore(arrival: Arrival): Promise<void>;
  /** Gives a container that was started anew what its application has exported, as base64. */
  importState(request: PrepareRequest, state: string): Promise<void>;
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
  /** For what a crash, or a failure, has left. */
  readonly recovery: TargetRecovery;

  constructor(options: TargetOptions) {
    this.#options = options;
    const isBusy = (id: string) => this.#expected.has(id) || this.#preparing.has(id);
    this.recovery = new TargetRecovery(options, isBusy);
  }

  /** How many are on their way here, those included that are still being made ready. */
  get expected(): number {
    return new Set([...this.#expected.keys(), ...this.#preparing]).size;
  }

  /** Bytes of memory that those on their way here will take. */
  get promisedMemory(): number {
    const requests = [...this.#expected.values()].map(({ request }) => request);
    return requests.reduce((sum, { memory }) => sum + memory, 0);
  }

  /** Whether this host has ever agreed to the attempt. */
  knows({ id }: Ticket): boolean {
    const { ledger } = this.#options;
    return ledger.outcome(id) !== undefined || ledger.arriving().some(({ ticket }) => ticket.id === id);
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
    ledger.locate(attempt, arrival.id);
    // It may have been given up meanwhile.
    if (ledger.outcome(ticket.id)) {
      await this.recovery.abort(attempt, arrival);
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
    await this.recovery.idle();
    if (ledger.outcome(ticket.id)) return ledger.outcome(ticket.id) === 'running' ? 'running' : 'aborted';
    const noted = ledger.arriving().find((attempt) => attempt.ticket.id === ticket.id);
    if (noted?.step === 'running') {
      await ledger.sync();
      return 'running';
    }
    if (noted && noted.step !== 'preparing')
      throw new StaleMigrationError(ticket.name, 'it is not decided yet');
    this.#checkRise(ticket);
    // A call that was late on its way must find it over.
    ledger.record(ticket.id, 'aborted');
    ledger.raiseFence(ticket.name, ticket.fence);
    return 'aborted';
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
      // The source removes its own for this answer: all that came must be on the disk by then.
      await Promise.all([arrival.probe(), arrival.sync()]);
      if (state !== undefined) await importState(request, state);
      ledger.advance(attempt, 'running');
      await ledger.sync();
      await this.recovery.commit(attempt, arrival);
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
    await this.recovery.abort(attempt, arrival);
  }

  #checkFence(ticket: Ticket): void {
    const { name, fence } = ticket;
    const known = this.#options.ledger.fence(name);
    if (fence <= known) throw new StaleMigrationError(name, `fence ${fence} is not above ${known}`);
    this.#checkRise(ticket);
  }

  #checkRise({ name, fence }: Ticket): void {
    const known = this.#options.ledger.fence(name);
    if (fence > known + LARGEST_RISE)
      throw new StaleMigrationError(name, `fence ${fence} is far above ${known}`);
  }
}
