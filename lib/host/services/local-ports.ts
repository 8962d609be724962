import { createHash } from 'node:crypto';
import { type Database, migrate } from '../../base';

const SCHEMA = ['CREATE TABLE service_port (name TEXT PRIMARY KEY, port INTEGER NOT NULL UNIQUE)'];

/** Below the ports that Linux gives to connections which ask for none, so that these do not take them. */
const FIRST = 14_000;
const COUNT = 2_000;

/** The services in use on this host and their local ports, kept over restarts. */
export class LocalPorts {
  readonly #database: Database;

  constructor(database: Database) {
    migrate(database, 'services', SCHEMA);
    this.#database = database;
  }

  all(): { name: string; port: number }[] {
    return this.#database.prepare('SELECT name, port FROM service_port ORDER BY name').all() as never;
  }

  get(name: string): number | undefined {
    return this.all().find((service) => service.name === name)?.port;
  }

  /** Ports for a new service, the best first: the same name begins at the same port on every host. */
  *wishes(name: string): Generator<number> {
    const taken = new Set(this.all().map(({ port }) => port));
    const start = createHash('sha256').update(name).digest().readUInt32BE(0);
    for (let step = 0; step < COUNT; step += 1) {
      const port = FIRST + ((start + step) % COUNT);
      if (!taken.has(port)) yield port;
    }
  }

  keep(name: string, port: number): void {
    this.#database.prepare('INSERT OR REPLACE INTO service_port VALUES (?, ?)').run(name, port);
  }

  forget(name: string): void {
    this.#database.prepare('DELETE FROM service_port WHERE name = ?').run(name);
  }
}
