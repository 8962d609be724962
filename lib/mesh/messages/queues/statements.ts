import type Sqlite from 'better-sqlite3';
import type { Database } from '../../../base';

type Statement = Sqlite.Statement<unknown[]>;

/** The prepared statements of a database, each made once: to compile one takes longer than to run it. */
export class Statements {
  readonly #database: Database;
  readonly #prepared = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
  }

  prepare(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.#database.prepare<unknown[]>(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
