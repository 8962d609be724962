import { type Database, migrate } from '../../base';
import type { Forward } from './forward';

const SCHEMA = [
  `CREATE TABLE forward (hostAddress TEXT NOT NULL, hostPort INTEGER NOT NULL, containerPort INTEGER NOT NULL,
     container TEXT NOT NULL, peerId TEXT NOT NULL, until INTEGER NOT NULL, connections INTEGER NOT NULL,
     PRIMARY KEY (hostAddress, hostPort))`,
];

/** The forwards of this host, kept over restarts. */
export class ForwardTable {
  readonly #database: Database;

  constructor(database: Database) {
    migrate(database, 'forwards', SCHEMA);
    this.#database = database;
  }

  all(): Forward[] {
    return this.#database.prepare('SELECT * FROM forward ORDER BY hostPort, hostAddress').all() as Forward[];
  }

  put(forward: Forward): void {
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO forward VALUES
         (@hostAddress, @hostPort, @containerPort, @container, @peerId, @until, @connections)`,
      )
      .run(forward);
  }

  delete({ hostAddress, hostPort }: Pick<Forward, 'hostAddress' | 'hostPort'>): void {
    this.#database
      .prepare('DELETE FROM forward WHERE hostAddress = ? AND hostPort = ?')
      .run(hostAddress, hostPort);
  }
}
