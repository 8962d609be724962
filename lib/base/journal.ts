import { type Database, migrate } from './database';

const SCHEMA = [
  `CREATE TABLE journal (
     id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, step TEXT NOT NULL,
     data TEXT NOT NULL, updatedAt INTEGER NOT NULL)`,
];

/** A change under way. After a crash, `step` says how far it came and `data` what it needs to be undone. */
export interface JournalEntry<T> {
  readonly id: number;
  readonly kind: string;
  readonly subject: string;
  readonly step: string;
  readonly data: T;
}

/** Records changes before they touch the disk, so that a crashed one is finished or rolled back at start. */
export class Journal {
  readonly #database: Database;

  constructor(database: Database) {
    migrate(database, 'journal', SCHEMA);
    this.#database = database;
  }

  begin<T>(kind: string, subject: string, step: string, data: T): number {
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO journal (kind, subject, step, data, updatedAt) VALUES (?, ?, ?, ?, ?)')
      .run(kind, subject, step, JSON.stringify(data), Date.now());
    return Number(lastInsertRowid);
  }

  advance<T>(id: number, step: string, data?: T): void {
    this.#database
      .prepare('UPDATE journal SET step = ?, data = coalesce(?, data), updatedAt = ? WHERE id = ?')
      .run(step, data === undefined ? null : JSON.stringify(data), Date.now(), id);
  }

  /** The change is complete, or has been rolled back. */
  end(id: number): void {
    this.#database.prepare('DELETE FROM journal WHERE id = ?').run(id);
  }

  /** Changes that a previous process left unfinished, oldest first. */
  unfinished<T>(kind: string): JournalEntry<T>[] {
    const rows = this.#database.prepare('SELECT * FROM journal WHERE kind = ? ORDER BY id').all(kind);
    return (rows as (JournalEntry<string> & { updatedAt: number })[]).map(({ id, subject, step, data }) => ({
      id,
      kind,
      subject,
      step,
      data: JSON.parse(data) as T,
    }));
  }
}
