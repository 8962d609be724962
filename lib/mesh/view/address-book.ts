import { type Database, migrate } from '../../base';

const SCHEMA = [
  `CREATE TABLE mesh_address (
     peerId TEXT NOT NULL, address TEXT NOT NULL, usedAt INTEGER NOT NULL, PRIMARY KEY (peerId, address));
   CREATE TABLE mesh_peer (peerId TEXT PRIMARY KEY, lastSeen INTEGER NOT NULL);
   CREATE TABLE mesh_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)`,
];

/** Addresses kept per host: what it had lately, and not all it ever had. */
const KEPT = 12;

/**
 * Where hosts have been reached and when they were last heard of, kept over restarts. What writes throws where the disk
 * is full or fails; nobody in the mesh may end of that.
 */
export class AddressBook {
  readonly #database: Database;

  constructor(database: Database) {
    migrate(database, 'mesh-addresses', SCHEMA);
    this.#database = database;
  }

  /** The address has just worked. */
  remember(peerId: string, address: string): void {
    this.#database
      .prepare(
        `INSERT INTO mesh_address VALUES (?, ?, ?)
         ON CONFLICT (peerId, address) DO UPDATE SET usedAt = excluded.usedAt`,
      )
      .run(peerId, address, Date.now());
    this.#database
      .prepare(
        `DELETE FROM mesh_address WHERE peerId = ? AND address NOT IN
           (SELECT address FROM mesh_address WHERE peerId = ? ORDER BY usedAt DESC LIMIT ?)`,
      )
      .run(peerId, peerId, KEPT);
  }

  /** Addresses that once worked, the latest first. */
  of(peerId: string): string[] {
    const rows = this.#database
      .prepare('SELECT address FROM mesh_address WHERE peerId = ? ORDER BY usedAt DESC')
      .all(peerId);
    return (rows as { address: string }[]).map(({ address }) => address);
  }

  lastSeen(peerId: string): number | null {
    const row = this.#database.prepare('SELECT lastSeen FROM mesh_peer WHERE peerId = ?').get(peerId);
    return (row as { lastSeen: number } | undefined)?.lastSeen ?? null;
  }

  seen(times: Iterable<[string, number]>): void {
    const save = this.#database.prepare(
      'INSERT INTO mesh_peer VALUES (?, ?) ON CONFLICT (peerId) DO UPDATE SET lastSeen = excluded.lastSeen',
    );
    this.#database.transaction(() => {
      for (const [peerId, time] of times) save.run(peerId, time);
    })();
  }

  setting(name: string): string | undefined {
    const row = this.#database.prepare('SELECT value FROM mesh_setting WHERE name = ?').get(name);
    return (row as { value: string } | undefined)?.value;
  }

  set(name: string, value: string): void {
    this.#database
      .prepare(
        'INSERT INTO mesh_setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      )
      .run(name, value);
  }
}
