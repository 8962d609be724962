import { type Database, Journal, migrate, syncDatabase } from '../../base';
import type { Ticket, Verdict } from './messages';

const SCHEMA = [
  `CREATE TABLE migrationFences (name TEXT PRIMARY KEY, fence INTEGER NOT NULL);
   CREATE TABLE migrationOutcomes (id TEXT PRIMARY KEY, outcome TEXT NOT NULL, endedAt INTEGER NOT NULL)`,
];

/** Outcomes are kept for hosts that come back late, in milliseconds. */
const KEPT_FOR = 90 * 86_400_000;

const SOURCE = 'migration-source';
const TARGET = 'migration-target';

/**
 * `preparing`: the container is the source's. `offered`: the target decides. `released`: the target has it.
 */
export type SourceStep = 'preparing' | 'offered' | 'released';

/**
 * `preparing`: the container is the source's. `accepted`: it may run here. `running`: it does, and the source is to
 * let go of its copy.
 */
export type TargetStep = 'preparing' | 'accepted' | 'running';

/** A migration that is on record. */
export interface Attempt<S> {
  entry: number;
  step: S;
  ticket: Ticket;
  /** The id that the container has on this host; undefined while it is not made. */
  container: string | undefined;
}

type Noted = Ticket & { container?: string | undefined };

/** What one host knows for certain about its migrations, also after a crash; after a power cut, what was synced. */
export class MigrationLedger {
  readonly #database: Database;
  readonly #journal: Journal;

  constructor(database: Database) {
    migrate(database, 'migration', SCHEMA);
    this.#database = database;
    this.#journal = new Journal(database);
    const statement = database.prepare('DELETE FROM migrationOutcomes WHERE endedAt < ?');
    statement.run(Date.now() - KEPT_FOR);
  }

  /** The highest fence that was seen for a container of this name; 0 for none. */
  fence(name: string): number {
    const row = this.#database.prepare('SELECT fence FROM migrationFences WHERE name = ?').get(name);
    return (row as { fence: number } | undefined)?.fence ?? 0;
  }

  raiseFence(name: string, fence: number): void {
    this.#database
      .prepare(
        `INSERT INTO migrationFences VALUES (?, ?)
         ON CONFLICT (name) DO UPDATE SET fence = max(fence, excluded.fence)`,
      )
      .run(name, fence);
  }

  beginSource(ticket: Ticket, container: string): Attempt<SourceStep> {
    return { entry: this.#begin(SOURCE, { ...ticket, container }), step: 'preparing', ticket, container };
  }

  beginTarget(ticket: Ticket): Attempt<TargetStep> {
    return { entry: this.#begin(TARGET, ticket), step: 'preparing', ticket, container: undefined };
  }

  /** The container that arrives has been made, with this id. */
  locate(attempt: Attempt<TargetStep>, container: string): void {
    this.#journal.advance<Noted>(attempt.entry, attempt.step, { ...attempt.ticket, container });
    attempt.container = container;
  }

  advance<S extends string>(attempt: Attempt<S>, step: S): void {
    this.#journal.advance(attempt.entry, step);
    attempt.step = step;
  }

  /** Resolves once not even a power cut can undo what was noted so far. The index alone would not wait for the disk. */
  sync(): Promise<void> {
    return syncDatabase(this.#database);
  }

  /** The attempt is over; how it ended can still be asked. */
  end(attempt: Attempt<string>, outcome: Verdict | 'released' | 'kept'): void {
    this.#database.transaction(() => {
      this.record(attempt.ticket.id, outcome);
      this.#journal.end(attempt.entry);
    })();
  }

  /** Notes how an attempt ended. What was noted first stays. */
  record(id: string, outcome: string): void {
    this.#database
      .prepare('INSERT OR IGNORE INTO migrationOutcomes VALUES (?, ?, ?)')
      .run(id, outcome, Date.now());
  }

  outcome(id: string): string | undefined {
    const row = this.#database.prepare('SELECT outcome FROM migrationOutcomes WHERE id = ?').get(id);
    return (row as { outcome: string } | undefined)?.outcome;
  }

  leaving(): Attempt<SourceStep>[] {
    return this.#unfinished<SourceStep>(SOURCE);
  }

  arriving(): Attempt<TargetStep>[] {
    return this.#unfinished<TargetStep>(TARGET);
  }

  /** Whether a crash, or a host that could not be reached, has left something to settle. */
  get unsettled(): boolean {
    return this.leaving().length + this.arriving().length > 0;
  }

  #begin(kind: string, ticket: Noted): number {
    return this.#database.transaction(() => {
      this.raiseFence(ticket.name, ticket.fence);
      return this.#journal.begin(kind, ticket.name, 'preparing', ticket);
    })();
  }

  #unfinished<S>(kind: string): Attempt<S>[] {
    return this.#journal.unfinished<Noted>(kind).map(({ id, step, data: { container, ...ticket } }) => ({
      entry: id,
      step: step as S,
      ticket,
      container,
    }));
  }
}
