import { setTimeout as delay } from 'node:timers/promises';
import type { Host, MigrateOutcome } from '../../lib/host';
import type { MigrationMode } from '../../lib/migration/protocol';
import { type Decision, Pace, Watcher } from '../../lib/migration/triggers';
import type { MoveStatus } from './move-status';
import type { Mover } from './mover';
import type { Watch } from './watches';

/** How long a container stays where it has come to, in milliseconds. */
const REST = 60_000;
/** For one look at the fog, in milliseconds. */
const PATIENCE = 30_000;

/** What a decision came to, for the flow. */
export interface Moved extends Decision {
  result: MigrateOutcome;
  /** Containers that still run here. */
  remaining: number;
}

export interface LookoutOptions {
  host(): Promise<Host>;
  watch: Watch;
  mover: Mover;
  mode: MigrationMode;
  status: MoveStatus;
  /** Ends it. */
  signal: AbortSignal;
  onMoved(moved: Moved): void;
  /** Also told of each move that fails, with what it was about. */
  onError(error: unknown, decision?: Decision): void;
}

/** Looks at the fog every few seconds and moves what its trigger says. */
export class Lookout {
  readonly #options: LookoutOptions;
  readonly #watcher: Watcher;
  readonly #moves = new Set<Promise<void>>();
  readonly #done: Promise<void>;
  /** The failure that was told; another one is news. */
  #failure = '';

  constructor(options: LookoutOptions) {
    this.#options = options;
    const { trigger, most } = options.watch;
    this.#watcher = new Watcher(trigger, new Pace({ most, restMs: REST }));
    this.#done = this.#run();
  }

  /** Resolves once it has ended, and the moves that it began. */
  async ended(): Promise<void> {
    await this.#done;
    await Promise.all(this.#moves);
  }

  async #run(): Promise<void> {
    const { signal, watch } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#look();
        this.#failure = '';
      } catch (error) {
        if (!signal.aborted) this.#fail(error);
      }
      await delay(watch.everyMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    const { host, signal, status, watch } = this.#options;
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
    const view = await (await host()).outlook({ user: watch.user, signal: patience });
    if (signal.aborted) return;
    for (const decision of this.#watcher.look(view, performance.now())) {
      const move = this.#move(decision)
        .catch((error) => this.#fail(error))
        .finally(() => this.#moves.delete(move));
      this.#moves.add(move);
    }
    if (this.#moves.size === 0) status.watched(watch.state(view));
  }

  async #move(decision: Decision): Promise<void> {
    const { mode, mover, onError, signal } = this.#options;
    const { container, to } = decision;
    const results: MigrateOutcome[] = [];
    let failure: unknown;
    try {
      await mover.move({ container, to, mode }, (result) => results.push(result));
    } catch (error) {
      failure = error;
    }
    this.#watcher.ended(decision, failure === undefined, performance.now());
    // Whoever restarts the flow knows that its work ends.
    if (signal.aborted) return;
    if (failure !== undefined) mover.failed(failure);
    for (const result of results) await this.#tell(decision, result);
    if (failure !== undefined) onError(failure, decision);
  }

  async #tell(decision: Decision, result: MigrateOutcome): Promise<void> {
    const { host, onMoved } = this.#options;
    const containers = await host()
      .then((opened) => opened.containers())
      .catch(() => []);
    const remaining = containers.filter(({ state }) => state === 'running').length;
    onMoved({ ...decision, result, remaining });
  }

  #fail(error: unknown): void {
    const { onError, status } = this.#options;
    status.failed();
    status.unwatched();
    const failure = String(error);
    if (failure === this.#failure) return;
    this.#failure = failure;
    onError(error);
  }
}
