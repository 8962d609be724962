import { type Database, migrate } from '../../../base';
import type { LogMark } from '../../../container';

const SCHEMA = [
  `CREATE TABLE operator_container (
     container TEXT PRIMARY KEY, instance TEXT NOT NULL, mark TEXT, sent_to TEXT)`,
];

/** The container of an instance. */
export interface OperatorContainer {
  container: string;
  instance: string;
  /** The last line of it whose message is on its way. */
  mark: LogMark | undefined;
  /** Peer ID of the host that has asked for it: it may be there. */
  sentTo: string | undefined;
}

interface Row {
  container: string;
  instance: string;
  mark: string | null;
  sent_to: string | null;
}

/** Which containers belong to the instances of this host, as it must know it after a crash. */
export class ContainerTable {
  readonly #database: Database;

  constructor(database: Database) {
    migrate(database, 'operator-containers', SCHEMA);
    this.#database = database;
  }

  all(): OperatorContainer[] {
    return (this.#database.prepare('SELECT * FROM operator_container').all() as Row[]).map(parsed);
  }

  of(instance: string): OperatorContainer | undefined {
    return this.all().find((each) => each.instance === instance);
  }

  find(container: string): OperatorContainer | undefined {
    return this.all().find((each) => each.container === container);
  }

  put({ container, instance, mark, sentTo }: OperatorContainer): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO operator_container VALUES (?, ?, ?, ?)')
      .run(container, instance, mark ? JSON.stringify(mark) : null, sentTo ?? null);
  }

  setMark(container: string, mark: LogMark): void {
    this.#database
      .prepare('UPDATE operator_container SET mark = ? WHERE container = ?')
      .run(JSON.stringify(mark), container);
  }

  remove(container: string): void {
    this.#database.prepare('DELETE FROM operator_container WHERE container = ?').run(container);
  }
}

const parsed = ({ container, instance, mark, sent_to }: Row): OperatorContainer => ({
  ...{ container, instance },
  mark: mark === null ? undefined : (JSON.parse(mark) as LogMark),
  sentTo: sent_to ?? undefined,
});
