import { type Database, migrate } from '../../../base';
import type { InstanceSpec, Subscriber } from './runtime';

const SCHEMA = [
  `CREATE TABLE operator_instance (
     instance TEXT PRIMARY KEY, owner TEXT NOT NULL, spec TEXT NOT NULL, tab TEXT);
   CREATE TABLE operator_hold (subscriber TEXT PRIMARY KEY, instance TEXT NOT NULL);
   CREATE TABLE operator_passing (
     instance TEXT NOT NULL, direction TEXT NOT NULL, subscribers TEXT NOT NULL, state TEXT,
     restored INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (instance, direction, subscribers))`,
];

export interface InstanceRow {
  instance: string;
  owner: string;
  spec: InstanceSpec;
  /** Its tab, once that is known. */
  tab: string | null;
}

/** What has left an instance, or is about to come to one. */
export interface Passing {
  state: string | null;
  restored: boolean;
}

type Direction = 'in' | 'out';

/** What this host runs for whom, as it must know it after a crash. */
export class InstanceTable {
  readonly #database: Database;

  constructor(database: Database) {
    migrate(database, 'operator-runtime', SCHEMA);
    this.#database = database;
  }

  all(): InstanceRow[] {
    const rows = this.#database.prepare('SELECT * FROM operator_instance ORDER BY instance').all();
    return (rows as StoredRow[]).map(parsed);
  }

  find(instance: string): InstanceRow | undefined {
    const row = this.#database.prepare('SELECT * FROM operator_instance WHERE instance = ?').get(instance);
    return row === undefined ? undefined : parsed(row as StoredRow);
  }

  add(spec: InstanceSpec): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO operator_instance VALUES (?, ?, ?, NULL)')
      .run(spec.instance, spec.owner, JSON.stringify(spec));
  }

  setTab(instance: string, tab: string): void {
    this.#database.prepare('UPDATE operator_instance SET tab = ? WHERE instance = ?').run(tab, instance);
  }

  /** With all that is known of it. */
  remove(instance: string): void {
    this.#database.transaction(() => {
      for (const table of ['operator_instance', 'operator_hold', 'operator_passing']) {
        this.#database.prepare(`DELETE FROM ${table} WHERE instance = ?`).run(instance);
      }
    })();
  }

  holds(instance: string): Subscriber[] {
    return this.#database
      .prepare('SELECT subscriber FROM operator_hold WHERE instance = ? ORDER BY subscriber')
      .pluck()
      .all(instance) as Subscriber[];
  }

  hold(instance: string, subscribers: readonly Subscriber[]): void {
    const insert = this.#database.prepare('INSERT OR REPLACE INTO operator_hold VALUES (?, ?)');
    this.#database.transaction(() => {
      for (const subscriber of subscribers) insert.run(subscriber, instance);
    })();
  }

  passing(instance: string, direction: Direction, subscribers: readonly Subscriber[]): Passing | undefined {
    const row = this.#database
      .prepare(
        'SELECT state, restored FROM operator_passing WHERE instance = ? AND direction = ? AND subscribers = ?',
      )
      .get(instance, direction, keyOf(subscribers)) as { state: string | null; restored: number } | undefined;
    return row && { state: row.state, restored: row.restored === 1 };
  }

  /** What leaves is held no longer, and starts no more when its nodes come back. */
  leave(instance: string, subscribers: readonly Subscriber[], state: string | null): void {
    const remove = this.#database.prepare('DELETE FROM operator_hold WHERE subscriber = ? AND instance = ?');
    this.#database.transaction(() => {
      this.#pass(instance, 'out', subscribers, state);
      for (const subscriber of subscribers) remove.run(subscriber, instance);
    })();
  }

  arrive(instance: string, subscribers: readonly Subscriber[], state: string | null): void {
    this.#pass(instance, 'in', subscribers, state);
  }

  restored(instance: string, subscribers: readonly Subscriber[]): void {
    this.#database
      .prepare(
        "UPDATE operator_passing SET restored = 1 WHERE instance = ? AND direction = 'in' AND subscribers = ?",
      )
      .run(instance, keyOf(subscribers));
  }

  /** What was under way is no more. */
  settle(instance: string, direction: Direction, subscribers: readonly Subscriber[]): void {
    this.#database
      .prepare('DELETE FROM operator_passing WHERE instance = ? AND direction = ? AND subscribers = ?')
      .run(instance, direction, keyOf(subscribers));
  }

  /** It holds what has come. */
  arrived(instance: string, direction: Direction, subscribers: readonly Subscriber[]): void {
    this.#database.transaction(() => {
      this.settle(instance, direction, subscribers);
      this.hold(instance, subscribers);
    })();
  }

  #pass(
    instance: string,
    direction: Direction,
    subscribers: readonly Subscriber[],
    state: string | null,
  ): void {
    this.#database
      .prepare(
        'INSERT OR IGNORE INTO operator_passing (instance, direction, subscribers, state) VALUES (?, ?, ?, ?)',
      )
      .run(instance, direction, keyOf(subscribers), state);
  }
}

type StoredRow = Omit<InstanceRow, 'spec'> & { spec: string };

const parsed = (row: StoredRow): InstanceRow => ({ ...row, spec: JSON.parse(row.spec) as InstanceSpec });

const keyOf = (subscribers: readonly Subscriber[]) => JSON.stringify([...subscribers].sort());
